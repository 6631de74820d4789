"""Stopping: running jobs end, none is stranded, and what is cut short runs again at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.waiting import eventually

from .by_hand import ByHand
from .conftest import MakeByHand, MakeScheduler
from .job_types import Note, request
from .own_valkey import OwnValkey
from .redis_view import ACTIVE, QUEUED, RedisView

SHUT_DOWN = "✅ Scheduled task system shut down"


async def test_shutdown_may_come_twice_or_before_any_start(
    make_scheduler: MakeScheduler, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler = make_scheduler(Note())
    await scheduler.shutdown()
    assert SHUT_DOWN not in caplog.messages
    await scheduler.initialize()
    await asyncio.gather(scheduler.shutdown(), scheduler.shutdown())
    await scheduler.shutdown()
    assert caplog.messages.count(SHUT_DOWN) == 1


async def test_shutdown_waits_for_running_jobs_and_takes_no_new_ones(
    make_scheduler: MakeScheduler, redis: RedisView, ends_soon: None
) -> None:
    may_end = asyncio.Event()
    ended: list[str] = []

    async def last(key: str) -> None:
        await may_end.wait()
        ended.append(key)

    notes = Note(last)
    scheduler = make_scheduler(notes, concurrency=1, grace=timedelta(seconds=20))
    await scheduler.initialize()
    await scheduler.enqueue(notes, request("running"))
    await scheduler.enqueue(notes, request("waiting"))
    await eventually(lambda: bool(notes.runs))
    stopping = asyncio.create_task(scheduler.shutdown())
    for _ in range(5):  # round trips, so that a shutdown that does not wait would get on
        await redis.call("PING")
    assert not stopping.done()
    may_end.set()
    await stopping
    assert ended == ["running"]
    assert await redis.ids(ACTIVE) == []
    assert await redis.ids(QUEUED) == ["waiting"]
    assert (await redis.record("running"))["status"] == "complete"


@pytest.mark.parametrize("stops", [30, pytest.param(200, marks=pytest.mark.long)])
async def test_a_job_that_arrives_while_the_scheduler_stops_is_never_stranded(
    make_scheduler: MakeScheduler,
    by_hand: MakeByHand,
    redis: RedisView,
    ends_soon: None,
    stops: int,
) -> None:
    async def worker_waits_for_jobs() -> bool:
        return (await redis.call("INFO", "clients"))["blocked_clients"] > 0

    notes = Note()
    another_process = by_hand(notes)
    for number in range(stops):
        scheduler = make_scheduler(notes)
        await scheduler.initialize()
        await eventually(worker_waits_for_jobs)
        arriving = asyncio.create_task(
            _arrive(another_process, notes, f"job {number}", number % 20)
        )
        await scheduler.shutdown()
        await arriving
    assert await redis.ids(ACTIVE) == []
    left = await redis.ids(QUEUED)
    assert sorted([*notes.runs, *left]) == sorted(f"job {number}" for number in range(stops))
    assert set(notes.runs.values()) <= {1}


async def _arrive(process: ByHand, notes: Note, key: str, step: int) -> None:
    """At another instant of the stop each time: it takes about a tenth of a second."""
    await asyncio.sleep(step * 0.006)
    await process.add(notes, request(key))


async def test_a_job_cut_short_by_the_end_of_the_grace_runs_at_once_after_the_restart(
    make_scheduler: MakeScheduler, redis: RedisView, ends_soon: None
) -> None:
    forever = asyncio.Event()

    async def wait(_: str) -> None:
        await forever.wait()

    notes = Note(wait)
    scheduler = make_scheduler(notes, grace=timedelta(0))
    await scheduler.initialize()
    await scheduler.enqueue(notes, request("job"))
    await eventually(lambda: notes.runs["job"] == 1)
    await scheduler.shutdown()
    assert await redis.ids(ACTIVE) == []
    assert await redis.ids(QUEUED) == ["job"]
    assert (await redis.record("job")).get("attempts", 0) == 0, "it is no failed attempt"
    assert notes.given_up == []

    forever.set()
    await scheduler.initialize()
    await eventually(lambda: notes.runs["job"] == 2, timeout_s=2)
    await scheduler.shutdown()
    assert (await redis.record("job"))["status"] == "complete"


async def test_shutdown_closes_every_connection(
    make_scheduler: MakeScheduler, redis: RedisView, ends_soon: None
) -> None:
    async def connections() -> int:
        return int((await redis.call("INFO", "clients"))["connected_clients"])

    before = await connections()
    notes = Note()
    scheduler = make_scheduler(notes)
    await scheduler.initialize()
    await scheduler.enqueue(notes, request("job"))
    await eventually(lambda: notes.runs["job"] == 1)
    assert await connections() > before
    await scheduler.shutdown()

    async def as_before() -> bool:
        return await connections() == before

    await eventually(as_before)


@pytest.mark.long
async def test_shutdown_ends_even_while_redis_is_frozen(
    make_scheduler: MakeScheduler, valkey: OwnValkey
) -> None:
    notes = Note()
    scheduler = make_scheduler(notes, url=valkey.url, grace=timedelta(seconds=20))
    await scheduler.initialize()
    await scheduler.enqueue(notes, request("job"))
    await eventually(lambda: notes.runs["job"] == 1)
    valkey.freeze()
    async with asyncio.timeout(15):
        await scheduler.shutdown()


async def test_a_stop_right_after_the_start_leaves_nothing_running(
    make_scheduler: MakeScheduler, ends_soon: None
) -> None:
    tasks = asyncio.all_tasks()
    for _ in range(5):
        scheduler = make_scheduler(Note())
        await scheduler.initialize()
        await scheduler.shutdown()
    assert asyncio.all_tasks() <= tasks
