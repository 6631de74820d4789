"""Starting: often, at once, without Redis, and without a trace in the rest of the process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncGenerator
from contextvars import ContextVar
from urllib.parse import urlsplit, urlunsplit

import pytest

from domains.database import Database
from domains.scheduled_task import JobCounts
from tests.waiting import eventually

from .conftest import MakeScheduler
from .job_types import HOUR, Alarm, Alarms, Note, request
from .own_valkey import OwnValkey
from .redis_view import HEARTBEATS, RedisView

pytestmark = pytest.mark.usefixtures("ends_soon")

NOT_AVAILABLE = (
    "Redis not available - scheduled tasks will be disabled; "
    "deadlines are kept in PostgreSQL, and honoured"
)
INITIALIZED = "✅ Scheduled task system initialized"


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


@contextlib.asynccontextmanager
async def hanging_up() -> AsyncGenerator[tuple[str, list[None]]]:
    """A server that hangs up on everybody: its URL, and a list as long as it was called often."""
    calls: list[None] = []

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(None)
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"redis://{host}:{port}", calls


async def test_initialize_twenty_times_at_once_starts_one_worker(
    make_scheduler: MakeScheduler, redis: RedisView, caplog: pytest.LogCaptureFixture
) -> None:
    async def one_worker_shows_its_heartbeat() -> bool:
        return await redis.length(HEARTBEATS) == 1

    notes = Note()
    scheduler = make_scheduler(notes)
    await asyncio.gather(*(scheduler.initialize() for _ in range(20)))
    await scheduler.initialize()
    for number in range(20):
        assert await scheduler.enqueue(notes, request(f"job {number}")) == f"job {number}"
    await eventually(lambda: len(notes.runs) == 20)
    assert set(notes.runs.values()) == {1}
    await eventually(one_worker_shows_its_heartbeat)
    assert caplog.messages.count(INITIALIZED) == 1
    assert warnings(caplog) == []


async def test_without_redis_initialize_warns_once_and_never_raises(
    make_scheduler: MakeScheduler,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("domains.scheduled_task.redis_health.PROBE_WHILE_AWAY_S", 0.01)
    async with hanging_up() as (url, calls):
        scheduler = make_scheduler(Note(), url=url)
        await asyncio.gather(*(scheduler.initialize() for _ in range(20)))
        await eventually(lambda: len(calls) >= 20)
        await scheduler.initialize()
    assert warnings(caplog) == [NOT_AVAILABLE]
    assert INITIALIZED not in caplog.messages


async def test_what_is_scheduled_before_the_start_runs_after_it(
    make_scheduler: MakeScheduler, caplog: pytest.LogCaptureFixture
) -> None:
    """The bot connects before it serves, and its workers start once Discord is ready."""
    notes = Note()
    scheduler = make_scheduler(notes)
    assert await scheduler.enqueue(notes, request("too early")) is None
    assert await scheduler.connect()
    assert await scheduler.connect()
    assert await scheduler.enqueue(notes, request("job")) == "job"
    assert (await scheduler.counts()).waiting == 1
    assert INITIALIZED not in caplog.messages
    await scheduler.initialize()
    await eventually(lambda: notes.runs["job"] == 1)


async def test_a_scheduler_without_redis_says_no_to_everything_and_counts_nothing(
    make_scheduler: MakeScheduler, caplog: pytest.LogCaptureFixture
) -> None:
    notes = Note()
    scheduler = make_scheduler(notes, url=None)
    await scheduler.initialize()
    assert not scheduler.available
    assert await scheduler.enqueue(notes, request("job")) is None
    assert await scheduler.counts() == JobCounts()
    await scheduler.reconcile()
    assert await scheduler.cleanup_orphaned_jobs() == 0
    assert warnings(caplog) == [NOT_AVAILABLE]


async def test_a_redis_that_refuses_the_password_is_as_good_as_none(
    make_scheduler: MakeScheduler, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    parts = urlsplit(redis_url)
    password, _, place = parts.netloc.rpartition("@")
    url = urlunsplit(parts._replace(netloc=f"{password}-not@{place}"))
    scheduler = make_scheduler(Note(), url=url)
    await scheduler.initialize()
    assert not scheduler.available
    assert warnings(caplog) == [NOT_AVAILABLE]
    assert password not in caplog.text


async def test_redis_is_taken_up_when_it_comes(
    make_scheduler: MakeScheduler, valkey: OwnValkey, caplog: pytest.LogCaptureFixture
) -> None:
    await valkey.stop()
    notes = Note()
    scheduler = make_scheduler(notes, url=valkey.url)
    await scheduler.initialize()
    assert await scheduler.enqueue(notes, request("too early")) is None
    await valkey.start()
    await eventually(lambda: INITIALIZED in caplog.messages)
    assert await scheduler.enqueue(notes, request("in time")) == "in time"
    await eventually(lambda: notes.runs["in time"] == 1)
    await scheduler.initialize()
    assert caplog.messages.count(INITIALIZED) == 1
    assert warnings(caplog) == [NOT_AVAILABLE]


async def test_initialize_after_a_shutdown_starts_anew(make_scheduler: MakeScheduler) -> None:
    notes = Note()
    scheduler = make_scheduler(notes)
    for key in ("first life", "second life"):
        await scheduler.initialize()
        await scheduler.enqueue(notes, request(key))
        await eventually(lambda key=key: notes.runs[key] == 1)
        await scheduler.shutdown()
    assert not scheduler.available


async def test_the_worker_leaves_the_signals_to_the_bot(make_scheduler: MakeScheduler) -> None:
    loop = asyncio.get_running_loop()
    heard: list[signal.Signals] = []
    mine = (signal.SIGINT, signal.SIGTERM)
    for number in mine:
        loop.add_signal_handler(number, heard.append, number)
    try:
        scheduler = make_scheduler(Note())
        await scheduler.initialize()
        for number in mine:
            os.kill(os.getpid(), number)
        await eventually(lambda: sorted(heard) == sorted(mine))
        await scheduler.shutdown()
        # If the worker had given them back to Python, the next one would end this process.
        assert all(callable(signal.getsignal(number)) for number in mine)
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        for number in mine:
            os.kill(os.getpid(), number)
        await eventually(lambda: len(heard) == 4)
    finally:
        for number in mine:
            loop.remove_signal_handler(number)


event: ContextVar[str] = ContextVar("event", default="none")


@pytest.mark.parametrize("with_redis", [True, False], ids=["in the worker", "without Redis"])
async def test_a_job_knows_nothing_of_the_event_that_started_the_scheduler(
    *,
    make_scheduler: MakeScheduler,
    database: Database,
    alarms: Alarms,
    redis_url: str,
    with_redis: bool,
) -> None:
    seen: list[str] = []

    async def look(_: str) -> None:
        seen.append(event.get())

    alarm = Alarm(database, look)
    token = event.set("on_ready")
    try:
        scheduler = make_scheduler(alarm, url=redis_url if with_redis else None)
        database.on_touched = scheduler.on_touched
        await scheduler.initialize()
        await alarms.set_and_touch(1, after=-HOUR)
    finally:
        event.reset(token)
    await eventually(lambda: bool(seen))
    assert set(seen) == {"none"}
