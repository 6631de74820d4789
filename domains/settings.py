"""What an operator can set: one frozen object, read from the environment and from `.env`.

Precedence: arguments, then the environment, then `.env`, then the defaults below.
`.env.example` lists the same settings, and a test holds the two together.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from domains import env_file
from domains.addresses import is_loopback
from domains.data_dir import absolute
from domains.errors import WRONG_SETTING, StartupError
from domains.logs import LogFormat
from domains.server_urls import require_host, require_postgresql_url, require_redis_url
from domains.setting_names import SIMILAR_IN_ENVIRONMENT, SIMILAR_IN_FILE, misspelt

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Port = Annotated[int, Field(ge=1, le=65535)]
WithoutRedis = Literal["keep", "immediate"]
MIN_PASSWORD_LENGTH = 12
WHOLE_NUMBER = "must be a whole number"
PLAIN_ENGLISH: dict[str, str] = {
    "int_parsing": WHOLE_NUMBER,
    "int_parsing_size": WHOLE_NUMBER,
    "int_from_float": WHOLE_NUMBER,
}
"""By pydantic's name for what is wrong."""
"""Of a dashboard that others than this machine's users can reach."""


class Settings(BaseSettings):
    """Field names are the environment's names in lower case."""

    model_config = SettingsConfigDict(
        frozen=True,
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
    data_dir: Annotated[Path, Field(validate_default=True)] = Path(".data")
    """Transcripts, and the embedded servers' data. Relative to bot.py; absolute once read."""
    auto_close_without_redis: WithoutRedis = "keep"
    """`keep` honours deadlines from PostgreSQL alone; `immediate` closes at once."""
    min_close_delay: Annotated[int, Field(ge=1, le=30 * 24 * 3600)] = 60
    """Shortest `close_delay` that staff may ask for, in seconds."""
    max_open_tickets: Annotated[int, Field(ge=1, le=50)] = 5
    """Most tickets that one member has open in one guild."""
    open_cooldown: Annotated[int, Field(ge=0, le=30 * 24 * 3600)] = 30
    """Seconds from one member's opening of a ticket to the next in one guild; 0 is none."""
    outage_grace: Annotated[int, Field(ge=0, le=24 * 3600)] = 600
    """Seconds of announced grace for tickets that fell due in an outage longer than this."""
    max_extensions: Annotated[int, Field(ge=0, le=100)] = 3
    """How often a member may ask for another 24 hours on one close request; 0 is never."""
    transcript_days: Annotated[int, Field(ge=0, le=36_500)] = 0
    """Days after its ticket was closed that a transcript is deleted; 0 is never."""
    ticket_days: Annotated[int, Field(ge=0, le=36_500)] = 0
    """Days after it was closed that a ticket is deleted, with its transcript; 0 is never."""
    left_server_days: Annotated[int, Field(ge=0, le=36_500)] = 30
    """Days after the bot left a server that all of that server is deleted; 0 is never."""
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
    dashboard_user: str = "admin"
    dashboard_host: str = "127.0.0.1"
    dashboard_password: SecretStr | None = None
    """Not set: there is no dashboard. Validated after its host, which decides how long it is."""
    dashboard_port: Port = 8090
    metrics_host: str = "127.0.0.1"
    metrics_port: Port | None = None
    """/healthz, /readyz and /metrics, for machines and without a password. Not set: none."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the working directory's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        in_file = DotEnvSettingsSource(
            settings_cls, env_file=env_file.env_file(), env_file_encoding=env_file.ENCODING
        )
        return init_settings, env_settings, in_file

    @field_validator("*", mode="before")
    @classmethod
    def _visible(cls, value: object) -> object:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if isinstance(text, str) and not text.isprintable():
            raise ValueError("contains a line break or another character that cannot be seen")
        return value

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
        return _checked(value, require_postgresql_url)

    @field_validator("redis_url")
    @classmethod
    def _redis_url(cls, value: SecretStr | None) -> SecretStr | None:
        return _checked(value, require_redis_url)

    @field_validator("redis_host", "dashboard_host", "metrics_host")
    @classmethod
    def _host(cls, value: str | None) -> str | None:
        if value is not None:
            require_host(value)
        return value

    @field_validator("dashboard_password")
    @classmethod
    def _long_enough(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """A wrong host is refused by itself, and then it is not here."""
        if value is None or is_loopback(info.data.get("dashboard_host", "localhost")):
            return value
        if len(value.get_secret_value()) < MIN_PASSWORD_LENGTH:
            raise ValueError(
                f"must have at least {MIN_PASSWORD_LENGTH} characters where DASHBOARD_HOST is not "
                "127.0.0.1, since others can try to guess it"
            )
        return value

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return absolute(value)

    @field_validator("dashboard_user")
    @classmethod
    def _one_word(cls, value: str) -> str:
        if not value.strip() or ":" in value:
            raise ValueError("must be a name without a colon")
        return value

    @model_validator(mode="after")
    def _two_listeners(self) -> Self:
        is_same = (self.dashboard_host, self.dashboard_port) == (
            self.metrics_host,
            self.metrics_port,
        )
        if self.dashboard_password is not None and is_same:
            raise ValueError("METRICS_PORT: it is the port of the dashboard; choose another one")
        return self

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
    """Read the environment and `.env`. What is wrong, missing its `=` or misspelt raises
    StartupError with one line that names it."""
    in_file = env_file.bindings()
    known = [name.upper() for name in Settings.model_fields]
    complaints = [
        *env_file.malformed(in_file),
        *misspelt((each.key for each in in_file if each.key), known, SIMILAR_IN_FILE),
        *misspelt(os.environ, known, SIMILAR_IN_ENVIRONMENT),
    ]
    settings = None
    try:
        settings = Settings()
    except ValidationError as error:
        complaints += _sentences(error)
    if settings is None or complaints:
        raise StartupError("; ".join(dict.fromkeys(complaints)), status=WRONG_SETTING)
    return settings


def wanted_log_format() -> LogFormat:
    """For an error that comes before there are settings, or instead of them."""
    try:
        in_file = [(each.key, each.value) for each in env_file.bindings()]
    except StartupError:
        in_file = []
    for name, value in chain(os.environ.items(), reversed(in_file)):
        if name and name.upper() == "LOG_FORMAT" and value:
            return "json" if value.lower() == "json" else "text"
    return "text"


def _sentences(error: ValidationError) -> list[str]:
    """Name the settings, never their values: they may be secrets."""
    complaints: list[str] = []
    for detail in error.errors(include_input=False, include_url=False):
        name = "".join(f"{part}: " for part in detail["loc"]).upper()
        said = PLAIN_ENGLISH.get(detail["type"]) or detail["msg"].removeprefix("Value error, ")
        complaints.append(name + said)
    return complaints


def _checked(value: SecretStr | None, check: Callable[[str], None]) -> SecretStr | None:
    if value is not None:
        check(value.get_secret_value())
    return value
