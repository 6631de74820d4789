"""Schedulers on the shared servers, or on a Valkey of the test's own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from domains.database import Database
from domains.scheduled_task import ScheduledTask
from domains.scheduled_task.job_type import JobType
from domains.scheduled_task.redis_client import connect
from domains.scheduled_task.redis_health import RedisHealth
from tests.conftest import EMPTY_DATABASE, TEMPLATE, Servers

from .by_hand import ByHand
from .job_types import Alarms
from .own_valkey import OwnValkey
from .redis_view import INSTALLATION_ID, RedisView
from .tickets import Tickets

_MEASURED = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def one_database_url(servers: Servers) -> str:
    """Emptied before each test, which is faster than a fresh one."""
    name = "scheduled_task"
    asyncio.run(_execute(servers.database_url, f"create database {name} template {TEMPLATE}"))
    return urlunsplit(urlsplit(servers.database_url)._replace(path=f"/{name}"))


@pytest.fixture
async def database_url(one_database_url: str) -> str:
    await _execute(one_database_url, EMPTY_DATABASE)
    await _execute(one_database_url, f"update punctual.installation set id = '{INSTALLATION_ID}'")
    return one_database_url


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


class MakeScheduler(Protocol):
    def __call__(
        self,
        *job_types: JobType,
        url: str | None = ...,
        concurrency: int = ...,
        grace: timedelta = ...,
    ) -> ScheduledTask: ...


class MakeByHand(Protocol):
    def __call__(self, *job_types: JobType) -> ByHand: ...


@pytest.fixture
async def make_scheduler(database: Database, redis_url: str) -> AsyncGenerator[MakeScheduler]:
    """Makes schedulers that are shut down when the test ends, if not before."""
    async with AsyncExitStack() as stack:

        def make(
            *job_types: JobType,
            url: str | None = redis_url,
            concurrency: int = 5,
            grace: timedelta = timedelta(seconds=1),
        ) -> ScheduledTask:
            scheduler = ScheduledTask(database, lambda: url, concurrency=concurrency, grace=grace)
            scheduler.register(job_types)
            stack.push_async_callback(scheduler.shutdown)
            return scheduler

        yield make


@pytest.fixture
async def redis(redis_url: str) -> AsyncGenerator[RedisView]:
    view = RedisView(redis_url)
    yield view
    await view.aclose()


@pytest.fixture
async def valkey(tmp_path: Path) -> AsyncGenerator[OwnValkey]:
    """Started, so that its URL is known."""
    valkey = OwnValkey(tmp_path / "valkey")
    await valkey.start()
    yield valkey
    await valkey.stop()


@pytest.fixture
async def own_redis(valkey: OwnValkey) -> AsyncGenerator[RedisView]:
    """The operator's view of the test's own Valkey."""
    view = RedisView(valkey.url)
    yield view
    await view.aclose()


@pytest.fixture
async def by_hand(redis_url: str) -> AsyncGenerator[MakeByHand]:
    client = connect(redis_url, socket_timeout=5)
    health = RedisHealth(client, INSTALLATION_ID)
    await health.check()
    yield lambda *job_types: ByHand(client, health, job_types)
    await client.aclose()


@pytest.fixture
async def tickets(database: Database, tmp_path: Path) -> AsyncGenerator[Tickets]:
    tickets = Tickets(database, tmp_path / "transcripts")
    yield tickets
    await tickets.effects.stop(timedelta(seconds=1))


@pytest.fixture
async def alarms(database: Database) -> Alarms:
    """The table of the kind `Alarm`, empty."""
    alarms = Alarms(database)
    await alarms.make_table()
    return alarms


@pytest.fixture
def only_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else finds what is overdue or missing."""
    for pause in ("WATCH_INTERVAL_S", "RECONCILE_SOONEST_S", "RECONCILE_INTERVAL_S"):
        monkeypatch.setattr(f"domains.scheduled_task.scheduled_task.{pause}", 3600)


@pytest.fixture
def ends_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A blocked dequeue holds up a shutdown for a tenth of its time: for tests of other things."""
    monkeypatch.setattr("domains.scheduled_task.workers.worker.DEQUEUE_TIMEOUT_S", 0.1)


@pytest.fixture(autouse=True)
def logged_as_in_production(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="saq")
    caplog.set_level(logging.INFO)  # last, for it sets what is captured too


# --- what is measured is printed, never asserted


Measured = Callable[[str], None]
"""Have a line printed at the end of the run."""


@pytest.fixture
def measured(pytestconfig: pytest.Config) -> Measured:
    return pytestconfig.stash.setdefault(_MEASURED, []).append


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash.setdefault(_MEASURED, []):
        terminalreporter.write_line(f"measured: {line}")
