"""What an operator sets: understood, or refused in one line that names it and keeps its secret."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from domains import program
from domains.errors import StartupError
from domains.settings import Settings, load_settings

EXAMPLE = Path(__file__).parent.parent / ".env.example"
SECRET = "hunter2-correct-horse"
URL_WITH_SECRET = f"postgresql://bot:{SECRET}@db.example:5432/punctual"
DEFAULTS = {name: field.get_default() for name, field in Settings.model_fields.items()}
SECRETS = [name for name, field in Settings.model_fields.items() if "SecretStr" in str(field)]


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither in the environment nor in a `.env` beside the program, which lies here."""
    for name in Settings.model_fields:
        for spelling in (name, name.upper()):
            monkeypatch.delenv(spelling, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(program, "CHECKOUT", tmp_path)


def defaults() -> dict[str, object]:
    return {**DEFAULTS, "data_dir": Path.cwd() / ".data"}


def refusal() -> StartupError:
    with pytest.raises(StartupError) as error:
        load_settings()
    return error.value


def values(settings: Settings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in Settings.model_fields}


# --- understood


def test_without_any_setting_the_defaults_hold() -> None:
    settings = load_settings()
    assert values(settings) == defaults()
    assert settings.discord_token is None
    assert settings.database_address is None
    assert settings.redis_address is None
    assert settings.redis_port == 6379
    assert settings.data_dir == Path.cwd() / ".data"
    assert settings.auto_close_without_redis == "keep"
    assert settings.min_close_delay == 60
    assert settings.max_open_tickets == 5
    assert settings.worker_concurrency == 5
    assert settings.log_level == "INFO"


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("DISCORD_TOKEN", SECRET, SecretStr(SECRET)),
        ("DATABASE_URL", URL_WITH_SECRET, SecretStr(URL_WITH_SECRET)),
        ("DATABASE_URL", "postgres://h/db", SecretStr("postgres://h/db")),
        ("DATABASE_URL", "postgresql:///db?host=/run", SecretStr("postgresql:///db?host=/run")),
        ("REDIS_URL", "redis://h", SecretStr("redis://h")),
        ("REDIS_URL", "rediss://:pw@h:6380/1", SecretStr("rediss://:pw@h:6380/1")),
        ("REDIS_URL", "unix:///run/redis.sock", SecretStr("unix:///run/redis.sock")),
        ("REDIS_HOST", "redis.example", "redis.example"),
        ("REDIS_PORT", "6380", 6380),
        ("DATA_DIR", "/var/lib/punctual", Path("/var/lib/punctual")),
        ("AUTO_CLOSE_WITHOUT_REDIS", "immediate", "immediate"),
        ("AUTO_CLOSE_WITHOUT_REDIS", "Keep", "keep"),
        ("MIN_CLOSE_DELAY", "1", 1),
        ("MIN_CLOSE_DELAY", "2592000", 2_592_000),
        ("MAX_OPEN_TICKETS", "50", 50),
        ("OUTAGE_GRACE", "0", 0),
        ("MAX_EXTENSIONS", "0", 0),
        ("WORKER_CONCURRENCY", "100", 100),
        ("LOG_LEVEL", "debug", "DEBUG"),
        ("LOG_LEVEL", "WARNING", "WARNING"),
        ("LOG_FORMAT", "JSON", "json"),
        ("DASHBOARD_PASSWORD", SECRET, SecretStr(SECRET)),
        ("DASHBOARD_USER", "root", "root"),
        ("DASHBOARD_HOST", "0.0.0.0", "0.0.0.0"),
        ("DASHBOARD_PORT", "1", 1),
        ("METRICS_HOST", "::", "::"),
        ("METRICS_PORT", "65535", 65535),
    ],
)
def test_a_setting_is_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, meant: object
) -> None:
    monkeypatch.setenv(name, value)
    settings = load_settings()
    assert getattr(settings, name.lower()) == meant
    assert values(settings) == {**defaults(), name.lower(): meant}


@pytest.mark.parametrize("name", Settings.model_fields)
def test_an_empty_value_is_no_value(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name.upper(), "")
    assert values(load_settings()) == defaults()


def test_settings_are_read_from_the_env_file() -> None:
    Path(".env").write_text(
        "# a comment\nMAX_OPEN_TICKETS=7\nexport LOG_LEVEL='error'\nUNKNOWN=x\n", encoding="utf-8"
    )
    settings = load_settings()
    assert settings.max_open_tickets == 7
    assert settings.log_level == "ERROR"


def test_the_environment_comes_before_the_env_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("MAX_OPEN_TICKETS=7\n", encoding="utf-8")
    monkeypatch.setenv("MAX_OPEN_TICKETS", "8")
    assert load_settings().max_open_tickets == 8


def test_file_and_data_belong_to_the_program_and_not_to_the_working_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("DATA_DIR=kept/here\n", encoding="utf-8")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".env").write_text("MAX_OPEN_TICKETS=7\n", encoding="utf-8")
    monkeypatch.chdir(elsewhere)
    settings = load_settings()
    assert settings.data_dir == tmp_path / "kept/here"
    assert settings.max_open_tickets == 5


def test_a_tilde_is_the_home_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In `.env` no shell replaces it."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATA_DIR", "~/tickets")
    assert load_settings().data_dir == tmp_path / "home" / "tickets"


def test_arguments_come_before_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_OPEN_TICKETS", "8")
    assert Settings(max_open_tickets=9).max_open_tickets == 9


def test_settings_cannot_be_changed() -> None:
    settings = load_settings()
    with pytest.raises(ValidationError):
        settings.max_open_tickets = 9  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("url", "host", "address"),
    [
        (None, None, None),
        (None, "redis.example", "redis://redis.example:6380"),
        (None, "::1", "redis://[::1]:6380"),
        ("unix:///run/redis.sock", None, "unix:///run/redis.sock"),
        ("redis://first", "second", "redis://first"),
    ],
)
def test_redis_is_named_by_a_url_or_by_host_and_port(
    url: str | None, host: str | None, address: str | None
) -> None:
    settings = Settings.model_validate({"redis_url": url, "redis_host": host, "redis_port": 6380})
    assert settings.redis_address == address


# --- refused: see also test_wrong_settings.py


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "bot.example", "127.0.0.1.example"])
@pytest.mark.parametrize("password", ["x", "hunter2", "elevenchars"])
def test_a_dashboard_that_others_can_reach_needs_a_long_password(
    monkeypatch: pytest.MonkeyPatch, host: str, password: str
) -> None:
    monkeypatch.setenv("DASHBOARD_HOST", host)
    monkeypatch.setenv("DASHBOARD_PASSWORD", password)
    error = refusal()
    assert error.status == 2
    assert str(error).startswith("DASHBOARD_PASSWORD: must have at least 12 characters")
    assert "\n" not in str(error)
    assert password not in str(error)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_on_this_machine_alone_the_dashboards_password_may_be_short(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("DASHBOARD_HOST", host)
    monkeypatch.setenv("DASHBOARD_PASSWORD", "1")
    assert load_settings().dashboard_password == SecretStr("1")


def test_twelve_characters_are_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHBOARD_HOST", "0.0.0.0")
    monkeypatch.setenv("DASHBOARD_PASSWORD", "twelve chars")
    assert load_settings().dashboard_password == SecretStr("twelve chars")


def test_all_wrong_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "LOUD")
    monkeypatch.setenv("REDIS_PORT", "no")
    text = str(refusal())
    assert "LOG_LEVEL: " in text
    assert "REDIS_PORT: " in text
    assert "\n" not in text


@given(st.sampled_from(list(Settings.model_fields)), st.text(min_size=1, max_size=40))
def test_no_value_whatever_breaks_the_validation(name: str, value: str) -> None:
    try:
        Settings.model_validate({name: value})
    except ValidationError:
        return


# --- secrets


def test_what_can_be_a_secret_is_one() -> None:
    assert set(SECRETS) >= {"discord_token", "database_url", "redis_url"}


@pytest.fixture
def with_secrets() -> Settings:
    return Settings.model_validate(
        {
            "discord_token": SECRET,
            "database_url": URL_WITH_SECRET,
            "redis_url": f"redis://:{SECRET}@redis",
            **dict.fromkeys(set(SECRETS) - {"discord_token", "database_url", "redis_url"}, SECRET),
        }
    )


def test_secrets_do_not_show(with_secrets: Settings, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").info("%s %r", with_secrets, with_secrets)
    texts = [
        repr(with_secrets),
        str(with_secrets),
        f"{with_secrets}",
        str(with_secrets.model_dump()),
        with_secrets.model_dump_json(),
        caplog.text,
    ]
    for text in texts:
        assert SECRET not in text
        assert "discord_token" in text


def test_the_domains_get_the_secrets(with_secrets: Settings) -> None:
    assert with_secrets.database_address == URL_WITH_SECRET
    assert with_secrets.redis_address == f"redis://:{SECRET}@redis"


def test_pydantics_own_error_keeps_the_secret_too() -> None:
    """A host program may make Settings itself, and log what is raised."""
    with pytest.raises(ValidationError) as error:
        Settings.model_validate({"database_url": f"mysql://bot:{SECRET}@db"})
    assert SECRET not in str(error.value)


# --- .env.example


def example() -> dict[str, str]:
    return {name: value or "" for name, value in dotenv_values(EXAMPLE).items()}


def test_the_example_lists_every_setting_and_no_other() -> None:
    assert sorted(example()) == sorted(name.upper() for name in Settings.model_fields)


def test_the_example_says_the_defaults() -> None:
    shown = {name: "" if value is None else str(value) for name, value in DEFAULTS.items()}
    assert {name.lower(): value for name, value in example().items()} == shown


def test_the_example_as_it_is_means_the_defaults() -> None:
    Path(".env").write_bytes(EXAMPLE.read_bytes())
    assert values(load_settings()) == defaults()


def test_the_example_explains_itself() -> None:
    """Every group of settings follows a comment."""
    groups = [group.splitlines() for group in EXAMPLE.read_text(encoding="utf-8").split("\n\n")]
    for lines in groups:
        assert lines[0].startswith("#"), lines
