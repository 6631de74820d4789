"""For every setting, whatever it will be called, ten wrong values end in one line and status 2.

A number or a choice has its wrong values by its type; of any other kind a setting needs a row here.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import pytest

from bot import require_usable
from domains import program
from domains.errors import StartupError
from domains.settings import Settings, load_settings

SECRET = "hunter2-correct-horse"
TOKEN = "MTIzNDU2.GabcdE.a-secret"
PG = "postgresql://"
FEWEST = 10

NO_NUMBER = ("abc", "1h", "1.5", "1e3", "0x10", "1,5", "--1", "1 2", "true", SECRET, "9" * 5000)
NO_CHOICE = ("x", "no", "0", "none", "true", "immediately", "jsonl", "keep it", "INFO!", SECRET)
INVISIBLE = [f"{SECRET}{character}" for character in "\n\r\t\x01\x07\x1b\x7f\x85\u00a0\u2028\ufeff"]
NO_HOST = (
    f"http://{SECRET}",
    "localhost:8090",
    "127.0.0.1:80",
    "[::1]",
    "[::1]:80",
    "256.1.1.1",
    "1.2.3",
    "two words",
    "a..b",
    "-a.example",
    "*",
    "a/b",
    "h" * 64,
    f"me@{SECRET}",
    "host,other",
)
NO_ADDRESS_OF_OURS = ("192.0.2.1", "2001:db8::1", "no-such-host.invalid")

WRONG: dict[str, tuple[str, ...]] = {
    "DISCORD_TOKEN": (
        "abc",
        "YOUR_TOKEN",
        f"Bot {TOKEN}",
        f'"{TOKEN}"',
        f"{TOKEN}\n",
        f"{TOKEN} ",
        f"DISCORD_TOKEN={TOKEN}",
        "a.b",
        "a.b.c.d",
        "a..c",
        ".b.c",
        f"{SECRET}.ü.c",
        "1234567890",
        *INVISIBLE,
    ),
    "DATABASE_URL": (
        SECRET,
        f"mysql://bot:{SECRET}@db/x",
        f"bot:{SECRET}@db/x",
        f"postgresql//bot:{SECRET}@db",
        f"http://[{SECRET}",
        f"{PG}[::1/x",
        f"{PG}[{SECRET}]/x",
        f"{PG}db:65536/x",
        f"{PG}db:0/x",
        f"{PG}db:-1/x",
        f"{PG}db:port/x",
        f"{PG}db:/x",
        f"{PG}bot:{SECRET}#a@db/x",
        f"{PG}bot:{SECRET}/a@db/x",
        f"{PG}bot:a?{SECRET}@db/x",
        f"{PG}bot:a@{SECRET}@db/x",
        f"{PG}bot:a:{SECRET}:1:2",
        f"{PG}db/x/y",
        f"{PG}db,:1/x",
        f"{PG}two words/x",
        f"{PG}db/x?sslmode=on",
        f"{PG}db/x?sslmod=require",
        f"{PG}db/x?connect_timeout=5",
        f"{PG}db/x?sslrootcert=/no/such/file",
        f"{PG}db/x?port=x",
        f"{PG}/x?host=a b",
        f"{PG}db/x?sslmode",
        f"{PG}db/x?a-b=1",
        f"{PG}db/%00",
        *INVISIBLE,
    ),
    "REDIS_URL": (
        SECRET,
        f"http://:{SECRET}@redis",
        f"redis:{SECRET}@redis",
        f"{SECRET}:6379",
        "redis://",
        "redis://:6379",
        "redis://[::1/0",
        f"redis://[{SECRET}]",
        "redis://redis:65536",
        "redis://redis:0",
        f"redis://:{SECRET}@redis:port",
        f"redis://me:{SECRET}/3@redis",
        f"redis://:{SECRET}#3@redis",
        f"redis://:{SECRET}?3@redis",
        "redis://redis/abc",
        "redis://redis/-1",
        "redis://redis/0/1",
        "redis://redis?db=abc",
        "redis://redis?databse=1",
        f"redis://redis?socket_timeout={SECRET}",
        "redis://redis?socket_timeout=nan",
        "redis://redis?max_connections=0",
        "redis://redis?ssl_cert_reqs=none",
        "rediss://redis?ssl_cert_reqs=maybe",
        "rediss://redis?ssl_ca_certs=/no/such/file",
        "redis://redis?db",
        "unix://",
        "unix://run/redis.sock",
        f"unix:///{'x' * 107}",
        *INVISIBLE,
    ),
    "REDIS_HOST": (*NO_HOST, *INVISIBLE),
    "DATA_DIR": (
        "FILE",
        "FILE/below",
        "~no-such-user/data",
        "/proc/punctual",
        "/dev/null",
        "/dev/null/data",
        "$HOME/data",
        "%APPDATA%",
        "file:///var/lib/punctual",
        "x" * 256,
        "ü" * 128,
        "/" + "x/" * 2000,
        *INVISIBLE,
    ),
    "DASHBOARD_PASSWORD": tuple(INVISIBLE),
    "DASHBOARD_USER": (f"user:{SECRET}", ":", "a:", ":a", " ", "  ", *INVISIBLE),
    "DASHBOARD_HOST": (*NO_HOST, *NO_ADDRESS_OF_OURS, *INVISIBLE),
    "METRICS_HOST": (*NO_HOST, *NO_ADDRESS_OF_OURS, *INVISIBLE),
}


def wrong_values(name: str) -> list[str]:
    field = Settings.model_fields[name.lower()]
    optional = {NoneType} & set(get_args(field.annotation))
    kinds = set(get_args(field.annotation)) - optional if optional else {field.annotation}
    if any(get_origin(kind) is Literal for kind in kinds):
        return list(NO_CHOICE)
    if any(kind is int or int in get_args(kind) for kind in kinds):
        return [*NO_NUMBER, *_beyond([field, *kinds])]
    return list(WRONG.get(name, ()))


def _beyond(bearers: list[Any]) -> Iterator[str]:
    for bearer in bearers:
        for limit in _flat(getattr(bearer, "metadata", ()) or getattr(bearer, "__metadata__", ())):
            if (least := getattr(limit, "ge", None)) is not None:
                yield str(least - 1)
            if (most := getattr(limit, "le", None)) is not None:
                yield str(most + 1)


def _flat(metadata: tuple[Any, ...]) -> Iterator[Any]:
    for each in metadata:
        yield from _flat(each.metadata) if getattr(each, "metadata", None) else (each,)


NAMES = [name.upper() for name in Settings.model_fields]


@pytest.fixture(autouse=True)
def all_else_is_right(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A bot that could start, with nothing but the wrong value against it."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(program, "CHECKOUT", tmp_path)
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DASHBOARD_PASSWORD", SECRET)
    monkeypatch.setenv("METRICS_PORT", "9090")


def start() -> None:
    """All that happens before anything is contacted."""
    require_usable(load_settings())


def test_what_is_right_starts() -> None:
    start()


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_has_a_row_of_wrong_values(name: str) -> None:
    assert len(set(wrong_values(name))) >= FEWEST, f"{name} needs a row in WRONG"


@pytest.mark.parametrize("name", NAMES)
def test_each_wrong_value_ends_in_one_line_that_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").touch()
    for wrong in wrong_values(name):
        value = wrong.replace("FILE", str(tmp_path / "file")) if name == "DATA_DIR" else wrong
        monkeypatch.setenv(name, value)
        try:
            start()
        except StartupError as error:
            text = str(error)
            assert error.status == 2, value
            assert text.startswith(f"{name}: "), (value, text)
            assert len(text.splitlines()) == 1, value
            assert len(text) < 300 or name == "DATA_DIR", value
            assert text.isprintable(), value
            assert SECRET not in "".join(traceback.format_exception(error)), value
        else:
            pytest.fail(f"{name}={value!r} passes")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", f"{PG}bot:p%40ss@db:5432/x?sslmode=require&application_name=y"),
        ("DATABASE_URL", f"{PG}me@a,b:5433/x?target_session_attrs=primary&search_path=z"),
        ("DATABASE_URL", f"{PG}[::1]:5432/x"),
        ("DATABASE_URL", f"{PG}%2Frun%2Fpostgresql/x"),
        ("DATABASE_URL", f"{PG}/x?host=/run/postgresql&port=5433"),
        ("DATABASE_URL", f"{PG}bot:100% sure!@db/x"),
        ("DATABASE_URL", PG),
        ("REDIS_URL", "redis://me:p%40ss@redis:6379/3?socket_timeout=2.5&protocol=3"),
        ("REDIS_URL", "redis://[fd00::1]:6379"),
        ("REDIS_URL", "redis://:p@ss@redis"),
        ("REDIS_URL", "rediss://redis?ssl_cert_reqs=none&ssl_check_hostname=false"),
        ("REDIS_URL", "unix://:pw@/run/redis.sock?db=1"),
        ("REDIS_HOST", "redis_1"),
        ("REDIS_HOST", "fe80::1%eth0"),
        ("DASHBOARD_HOST", "localhost"),
        ("DASHBOARD_HOST", "::"),
        ("DASHBOARD_USER", "Frau Müller"),
        ("DATA_DIR", "here"),
    ],
)
def test_what_only_looks_odd_is_taken(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    start()


def test_a_number_that_is_none_is_told_in_plain_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIN_CLOSE_DELAY", "1 minute")
    with pytest.raises(StartupError, match=r"^MIN_CLOSE_DELAY: must be a whole number$"):
        load_settings()


def test_two_listeners_do_not_share_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_PORT", "8090")
    with pytest.raises(StartupError, match=r"^METRICS_PORT: ") as error:
        start()
    assert error.value.status == 2


def test_without_a_dashboard_its_host_need_not_be_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DASHBOARD_PASSWORD")
    monkeypatch.setenv("DASHBOARD_HOST", "192.0.2.1")
    start()


# --- names


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("MIN_CLOSE_DELEY", "MIN_CLOSE_DELAY"),
        ("min_close_deley", "MIN_CLOSE_DELAY"),
        ("MAX_OPEN_TICKET", "MAX_OPEN_TICKETS"),
        ("DISCORD_TOEKN", "DISCORD_TOKEN"),
        ("DISCORDTOKEN", "DISCORD_TOKEN"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("REDIS_PROT", "REDIS_PORT"),
        ("DATA_DRI", "DATA_DIR"),
        ("LOGLEVEL", "LOG_LEVEL"),
        ("OUTAGEGRACE", "OUTAGE_GRACE"),
    ],
)
@pytest.mark.parametrize("in_file", [False, True], ids=["environment", "file"])
def test_a_misspelt_name_is_refused_with_the_one_that_was_meant(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wrong: str, right: str, in_file: bool
) -> None:
    if in_file:
        (tmp_path / ".env").write_text(f"{wrong}={SECRET}\n", encoding="utf-8")
    else:
        monkeypatch.setenv(wrong, SECRET)
    with pytest.raises(StartupError) as error:
        start()
    assert error.value.status == 2
    text = f"{wrong.upper()}: there is no such setting; did you mean {right}?"
    assert str(error.value) == text


def test_every_setting_is_found_from_one_slip() -> None:
    """Whatever settings there will be, each is told from its neighbours."""
    from domains.setting_names import misspelt

    for name in NAMES:
        middle = len(name) // 2
        for slip in (name[:middle] + name[middle + 1 :], f"{name}X", f"X{name}"):
            if slip not in NAMES:
                assert [line.split()[-1] for line in misspelt([slip], NAMES, 0.9)] == [f"{name}?"]


def test_names_of_other_programs_pass(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Such as those of a program beside us, and what Docker and Kubernetes put there."""
    for name in (
        *("REDIS_USER", "REDIS_DB", "REDIS_PASSWORD", "REDIS_TLS_URL", "POSTGRES_PASSWORD"),
        *("DATABASE_USER", "DATABASE_HOST", "DATABASE_NAME", "DISCORD_BOT_TOKEN", "LOG_FILE"),
        *("REDIS_PORT_6379_TCP", "REDIS_SERVICE_HOST", "METRICS_PORT_9090_TCP_PORT", "DATA"),
        *("LOGNAME", "XDG_DATA_DIRS", "PGHOST", "HOSTNAME", "METRICS_PATH"),
    ):
        monkeypatch.setenv(name, "x")
    (tmp_path / ".env").write_text("POSTGRES_PASSWORD=x\nCOMPOSE_PROJECT_NAME=y\n")
    start()


# --- the file


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("\n# comment\nMAX_OPEN_TICKETS\n", 3),
        (f"LOG_LEVEL=INFO\n\nDISCORD_TOKEN: {SECRET}\n", 3),
        (f"'{SECRET}\n", 1),
        (f"LOG_LEVEL=INFO\nDASHBOARD_PASSWORD='{SECRET}\n", 2),
    ],
)
def test_a_line_that_is_none_is_named(tmp_path: Path, content: str, line: int) -> None:
    (tmp_path / ".env").write_text(content, encoding="utf-8")
    with pytest.raises(StartupError) as error:
        start()
    assert error.value.status == 2
    assert str(error.value) == f"{tmp_path}/.env: line {line} is not NAME=value"


@pytest.mark.parametrize("content", [b"\xff\xfe\x00D", b"LOG_LEVEL=\xe9\n"])
def test_a_file_that_is_no_text_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(StartupError, match=rf"^{tmp_path}/\.env is not text in UTF-8$") as error:
        start()
    assert error.value.status == 2


def test_a_file_that_is_a_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(StartupError, match=rf"^{tmp_path}/\.env cannot be read: ") as error:
        start()
    assert error.value.status == 2


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("\ufeffMAX_OPEN_TICKETS=7\n", encoding="utf-8")
    assert load_settings().max_open_tickets == 7
