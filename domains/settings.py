"""What an operator can set: one frozen object, read from the environment and from `.env`.

Precedence: arguments, then the environment, then `.env`, then the defaults below.
`.env.example` lists the same settings, and a test holds the two together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from domains.errors import StartupError
from domains.logs import LogFormat

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Port = Annotated[int, Field(ge=1, le=65535)]
WithoutRedis = Literal["keep", "immediate"]
WRONG_SETTING = 2
"""Exit status for a missing or wrong setting."""
UNREADABLE_REDIS_URL = (
    "it is not a URL that can be understood; in a password, the characters / ? # @ : have to be "
    "percent-encoded"
)


class Settings(BaseSettings):
    """Field names are the environment's names in lower case."""

    model_config = SettingsConfigDict(
        frozen=True,
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    discord_token: SecretStr | None = None
    """From the Discord developer portal. Only the demo runs without it."""
    database_url: SecretStr | None = None
    """PostgreSQL; may name a socket (`?host=`). Not set: an embedded server in `data_dir`."""
    database_statement_cache: Annotated[int, Field(ge=0, le=10_000)] = 100
    """Prepared statements a connection keeps; 0 behind a PgBouncer that pools transactions."""
    redis_url: SecretStr | None = None
    """redis://, rediss:// or unix://. Not set, nor `redis_host`: an embedded Valkey."""
    redis_host: str | None = None
    redis_port: Annotated[int, Field(ge=1, le=65535)] = 6379
    data_dir: Path = Path(".data")
    """Transcripts, and the embedded servers' data."""
    auto_close_without_redis: WithoutRedis = "keep"
    """`keep` honours deadlines from PostgreSQL alone; `immediate` closes at once."""
    min_close_delay: Annotated[int, Field(ge=1, le=30 * 24 * 3600)] = 60
    """Shortest `close_delay` that staff may ask for, in seconds."""
    max_open_tickets: Annotated[int, Field(ge=1, le=50)] = 5
    """Most tickets that one member has open in one guild."""
    outage_grace: Annotated[int, Field(ge=0, le=24 * 3600)] = 600
    """Seconds of announced grace for tickets that fell due in an outage longer than this."""
    max_extensions: Annotated[int, Field(ge=0, le=100)] = 3
    """How often a member may ask for another 24 hours on one close request; 0 is never."""
    max_ticket_files_mb: Annotated[int, Field(ge=0, le=100_000)] = 250
    """Most MiB of files that are saved with one ticket; what is beyond is named in its page."""
    max_files_mb: Annotated[int, Field(ge=0)] = 0
    """The same for all tickets together; 0 is no limit but the disk's."""
    min_free_mb: Annotated[int, Field(ge=0)] = 256
    """MiB of the disk that are left free by files: tickets that have some wait for more room."""
    worker_concurrency: Annotated[int, Field(ge=1, le=100)] = 5
    """Jobs that one process runs at once."""
    log_level: LogLevel = "INFO"
    log_format: LogFormat = "text"
    """`json` is one object a line, with the ticket's and the job's id."""
    dashboard_password: SecretStr | None = None
    """Not set: there is no dashboard."""
    dashboard_user: Annotated[str, Field(min_length=1, pattern="^[^:]+$")] = "admin"
    dashboard_host: str = "127.0.0.1"
    dashboard_port: Port = 8090
    metrics_host: str = "127.0.0.1"
    metrics_port: Port | None = None
    """/healthz, /readyz and /metrics, for machines and without a password. Not set: none."""

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("auto_close_without_redis", "log_format", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _postgresql_url(cls, value: SecretStr | None) -> SecretStr | None:
        return _with_scheme(value, "postgresql", "postgres")

    @field_validator("redis_url")
    @classmethod
    def _redis_url(cls, value: SecretStr | None) -> SecretStr | None:
        value = _with_scheme(value, "redis", "rediss", "unix")
        try:
            _ = value and urlsplit(value.get_secret_value()).port
        except ValueError:
            # Its text quotes what was not understood, and that may be the password.
            raise ValueError(UNREADABLE_REDIS_URL) from None
        return value

    @property
    def redis_address(self) -> str | None:
        """The URL of the Redis that the operator named, or None for the embedded one."""
        if self.redis_url is not None:
            return self.redis_url.get_secret_value()
        if self.redis_host is None:
            return None
        host = f"[{self.redis_host}]" if ":" in self.redis_host else self.redis_host
        return f"redis://{host}:{self.redis_port}"

    @property
    def database_address(self) -> str | None:
        return self.database_url.get_secret_value() if self.database_url else None


def load_settings() -> Settings:
    """Read the environment; a wrong value raises StartupError with one line that names it."""
    try:
        return Settings()
    except ValidationError as error:
        raise StartupError(_one_line(error), status=WRONG_SETTING) from None
    except UnicodeDecodeError:
        raise StartupError(".env is not text in UTF-8", status=WRONG_SETTING) from None


def _one_line(error: ValidationError) -> str:
    """Name the settings, never their values: they may be secrets."""
    complaints: list[str] = []
    for detail in error.errors(include_input=False, include_url=False):
        name = ".".join(str(part) for part in detail["loc"]).upper()
        complaints.append(f"{name}: {detail['msg'].removeprefix('Value error, ')}")
    return "; ".join(complaints)


def _with_scheme(value: SecretStr | None, *schemes: str) -> SecretStr | None:
    """Only the beginning is looked at: an error must not quote the rest, which has a password."""
    beginnings = [f"{scheme}://" for scheme in schemes]
    if value is not None and not value.get_secret_value().lower().startswith(tuple(beginnings)):
        raise ValueError(f"must begin with {' or '.join(beginnings)}")
    return value
