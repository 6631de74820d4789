"""The environment for fault tests, with servers of its own: any test may break them, and every
test finds them whole."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable, Generator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from domains.database import Database
from tests.faults.fault_env import FaultEnv
from tests.faults.own_servers import OwnPostgres, OwnValkey
from tests.scheduled_task.redis_view import INSTALLATION_ID
from tests.wire import Discord

Measured = Callable[[str], None]
"""Has a line printed at the end of the run."""

_MEASURED = "measured in the fault tests"
_TEMPLATE = "fault_env_template"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def own_servers(
    tmp_path_factory: pytest.TempPathFactory,
) -> Generator[tuple[OwnPostgres, OwnValkey]]:
    folder = tmp_path_factory.mktemp("fault_env")
    postgres, valkey = OwnPostgres(folder / "postgres"), OwnValkey(folder / "valkey")
    with asyncio.Runner() as runner:
        runner.run(postgres.start())
        runner.run(valkey.start())
        try:
            runner.run(_make_template(postgres))
            yield postgres, valkey
        finally:
            runner.run(valkey.stop())
            runner.run(postgres.stop())


async def _make_template(postgres: OwnPostgres) -> None:
    await postgres.execute(f"create database {_TEMPLATE}")
    database = Database(lambda: _named(postgres.url, _TEMPLATE))
    await database.connect()
    await database.close()
    connection = await asyncpg.connect(_named(postgres.url, _TEMPLATE))
    await connection.execute(f"update punctual.installation set id = '{INSTALLATION_ID}'")
    await connection.close()


def _named(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@pytest.fixture
async def postgres(own_servers: tuple[OwnPostgres, OwnValkey]) -> OwnPostgres:
    await own_servers[0].heal()
    return own_servers[0]


@pytest.fixture
async def valkey(own_servers: tuple[OwnPostgres, OwnValkey]) -> OwnValkey:
    await own_servers[1].heal()
    return own_servers[1]


@pytest.fixture
async def database_url(postgres: OwnPostgres) -> AsyncGenerator[str]:
    name = f"fault_env_{next(_numbers)}"
    await postgres.execute(f"create database {name} template {_TEMPLATE}")
    yield _named(postgres.url, name)
    await postgres.execute(f"drop database {name} with (force)")


@pytest.fixture
def forgetful_discord(monkeypatch: pytest.MonkeyPatch) -> None:
    """Discord itself drops a message that is sent twice within a few minutes. Here as after those:
    only what the bot does about it counts."""
    monkeypatch.setattr("tests.wire.messages.NONCE_SECONDS", 0.0)


@pytest.fixture
async def fault_env(
    database_url: str,
    postgres: OwnPostgres,
    valkey: OwnValkey,
    tmp_path: Path,
    forgetful_discord: None,
) -> AsyncGenerator[FaultEnv]:
    environment = {
        "DATABASE_URL": database_url,
        "REDIS_URL": valkey.url,
        "DATA_DIR": str(tmp_path),
        "MIN_CLOSE_DELAY": "1",
        "MAX_OPEN_TICKETS": "50",
        "OPEN_COOLDOWN": "0",
    }
    async with Discord() as discord:
        fault_env = FaultEnv(discord, environment, postgres, valkey)
        try:
            yield fault_env
        finally:
            await fault_env.end()
            valkey.thaw()


# --- what is measured is printed at the end of the run


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Measured:
    return partial(record_property, _MEASURED)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, text in getattr(report, "user_properties", ()):
                if name == _MEASURED and getattr(report, "when", "") == "call":
                    terminalreporter.write_line(f"measured: {text}")
