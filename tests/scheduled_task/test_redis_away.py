"""Redis stopped, killed, frozen, flushed, full or read-only: said once, survived, and made good."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from redis.exceptions import ResponseError

from domains.database import Database
from domains.scheduled_task import ScheduledTask
from domains.scheduled_task.redis_health import means_away
from domains.ticket_lifecycle.models import Ticket
from tests.waiting import eventually

from .conftest import MakeScheduler, Measured
from .job_types import HOUR, Alarm, Alarms, HiddenAlarm, Note, request
from .own_valkey import OwnValkey
from .redis_view import INCOMPLETE, RedisView
from .tickets import Tickets

pytestmark = pytest.mark.usefixtures("ends_soon")

AWAY = (
    "Redis not available - scheduled tasks will be disabled; "
    "deadlines are kept in PostgreSQL, and honoured"
)
BACK = "Redis is back - scheduled tasks go on"

Act = Callable[[RedisView], Awaitable[None]]


def lines_since(caplog: pytest.LogCaptureFixture, first: int) -> list[str]:
    return [record.getMessage() for record in caplog.records[first:]]


def problems(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


async def test_a_redis_that_is_away_costs_no_processor_and_three_lines_of_log(
    make_scheduler: MakeScheduler,
    valkey: OwnValkey,
    database: Database,
    caplog: pytest.LogCaptureFixture,
    measured: Measured,
) -> None:
    notes = Note()
    scheduler = make_scheduler(notes, url=valkey.url)
    await scheduler.initialize()
    await scheduler.enqueue(notes, request("before"))
    await eventually(lambda: notes.runs["before"] == 1)
    due = database.clock.now() + 2
    await scheduler.enqueue(notes, request("overdue", due))

    said = len(caplog.records)
    await valkey.stop()
    await eventually(lambda: not scheduler.available)
    processor = time.process_time()
    await asyncio.sleep(3)
    processor = time.process_time() - processor
    assert processor < 0.3
    at_the_loss = lines_since(caplog, said)
    assert at_the_loss.count(AWAY) == 1
    assert len(at_the_loss) <= 3, at_the_loss
    assert notes.runs["overdue"] == 0

    said = len(caplog.records)
    await valkey.start()
    returned = time.perf_counter()
    await eventually(lambda: notes.runs["overdue"] == 1, timeout_s=5)
    late_ms = (time.perf_counter() - returned) * 1000
    await scheduler.shutdown()
    at_the_return = lines_since(caplog, said)[:-1]  # the last one is the shutdown's
    assert at_the_return.count(BACK) == 1
    assert len(at_the_return) <= 2, at_the_return
    assert notes.runs == {"before": 1, "overdue": 1}
    measured(
        f"Redis away for 3 s: {processor:.2f} s of processor;"
        f" an overdue job ran {late_ms:.0f} ms after its return"
    )


async def test_a_killed_redis_comes_back_without_a_restart_of_the_bot(
    make_scheduler: MakeScheduler, valkey: OwnValkey, caplog: pytest.LogCaptureFixture
) -> None:
    notes = Note()
    scheduler = make_scheduler(notes, url=valkey.url)
    await scheduler.initialize()
    for number in range(3):
        await scheduler.enqueue(notes, request(f"job {number}"))
        await eventually(lambda number=number: notes.runs[f"job {number}"] == 1)
        valkey.kill()
        await eventually(lambda: not scheduler.available)
        assert await scheduler.enqueue(notes, request("lost")) is None
        await valkey.restart()
        await eventually(lambda: scheduler.available)
    assert caplog.messages.count(AWAY) == caplog.messages.count(BACK) == 3


async def test_a_redis_that_refuses_all_writes_is_away_also_in_a_pipeline(
    redis: RedisView,
) -> None:
    """As one whose disk is full: redis-py puts the command before Redis's own words."""
    await redis.call("CONFIG", "SET", "min-replicas-to-write", 1)
    try:
        with pytest.raises(ResponseError) as alone:
            await redis.call("SET", "a", 1)
        with pytest.raises(ResponseError) as in_pipeline:
            await redis.call_all([("SET", "a", 1), ("SET", "b", 2)])
    finally:
        await redis.call("CONFIG", "SET", "min-replicas-to-write", 0)
    assert means_away(alone.value)
    assert means_away(in_pipeline.value)
    with pytest.raises(ResponseError) as wrong:
        await redis.call_all([("LPUSH", "l", 1), ("INCR", "l")])
    assert not means_away(wrong.value)


async def test_a_frozen_redis_makes_nobody_wait_and_is_used_again_when_it_thaws(
    make_scheduler: MakeScheduler, valkey: OwnValkey, caplog: pytest.LogCaptureFixture
) -> None:
    notes = Note()
    scheduler = make_scheduler(notes, url=valkey.url)
    await scheduler.initialize()
    await scheduler.enqueue(notes, request("before"))
    await eventually(lambda: notes.runs["before"] == 1)
    valkey.freeze()
    async with asyncio.timeout(3):  # the client's own patience is 2 s
        assert await scheduler.enqueue(notes, request("frozen out")) is None
    assert not scheduler.available
    async with asyncio.timeout(0.5):
        assert await scheduler.enqueue(notes, request("refused at once")) is None
        assert (await scheduler.counts()).waiting == 0
    valkey.thaw()
    await eventually(lambda: scheduler.available)
    assert await scheduler.enqueue(notes, request("after")) == "after"
    await eventually(lambda: notes.runs["after"] == 1)
    assert problems(caplog) == [AWAY]


async def test_a_job_whose_end_could_not_be_told_to_redis_gets_its_next_attempt(
    make_scheduler: MakeScheduler, valkey: OwnValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays in `active` under a worker that is alive, so no heartbeat runs out."""
    monkeypatch.setattr("domains.scheduled_task.queues.queue.UNHELD_GRACE_S", 0.1)
    monkeypatch.setattr("domains.scheduled_task.workers.worker.SWEEP_EVERY_S", 0.1)

    async def fail_when_redis_is_gone(key: str) -> None:
        if notes.runs[key] == 1:
            valkey.kill()
            await eventually(lambda: not scheduler.available)
            raise RuntimeError("at the worst moment")

    notes = Note(fail_when_redis_is_gone)
    scheduler = make_scheduler(notes, url=valkey.url)
    await scheduler.initialize()
    await scheduler.enqueue(notes, request("job"))
    await eventually(lambda: not scheduler.available)
    await valkey.restart()
    await eventually(lambda: notes.runs["job"] == 2)


# --- the truth is in PostgreSQL


@dataclass(frozen=True)
class Pending:
    """A ticket with a timer that is to run for a quarter of an hour: too short for a reminder."""

    ticket: Ticket
    job_id: str | None


async def pending(tickets: Tickets) -> Pending:
    ticket = await tickets.open()
    _, job_id = await tickets.ask(ticket, hours=0.25)
    return Pending(ticket, job_id)


@pytest.fixture
async def scheduler(
    make_scheduler: MakeScheduler, tickets: Tickets, valkey: OwnValkey
) -> ScheduledTask:
    """Closes tickets, on the test's own Valkey."""
    scheduler = tickets.close_with(make_scheduler(url=valkey.url))
    await scheduler.initialize()
    return scheduler


async def test_a_flushed_redis_loses_nothing_and_is_filled_again_by_itself(
    scheduler: ScheduledTask, tickets: Tickets, own_redis: RedisView
) -> None:
    overdue, later = await pending(tickets), await pending(tickets)
    job_id = later.job_id
    assert job_id
    await own_redis.call("FLUSHALL")
    await tickets.let_time_run_out(overdue.ticket)
    await tickets.closed(overdue.ticket)

    async def has_its_job_again() -> bool:
        return await own_redis.due(job_id) is not None

    await eventually(has_its_job_again)
    assert (await scheduler.counts()).delayed == 1


async def test_deadlines_are_kept_while_redis_is_down_and_nothing_is_doubled_at_its_return(
    scheduler: ScheduledTask, tickets: Tickets, valkey: OwnValkey, own_redis: RedisView
) -> None:
    overdue, later = await pending(tickets), await pending(tickets)
    await valkey.stop()
    await eventually(lambda: not scheduler.available)
    asked_meanwhile = await pending(tickets)
    assert asked_meanwhile.job_id is None
    await tickets.let_time_run_out(overdue.ticket)
    await tickets.closed(overdue.ticket)

    await valkey.start()
    await eventually(lambda: scheduler.available)
    await scheduler.reconcile()
    jobs = await own_redis.ids(INCOMPLETE)
    assert later.job_id in jobs
    assert len(jobs) == 2
    assert tickets.channels.removed == [overdue.ticket.id]
    assert [ticket_id for ticket_id, _ in tickets.channels.logged] == [overdue.ticket.id]
    assert tickets.channels.dms == [overdue.ticket.id]


async def test_redis_that_returns_in_the_middle_of_a_local_run_does_not_double_it(
    make_scheduler: MakeScheduler, valkey: OwnValkey, tickets: Tickets
) -> None:
    await valkey.stop()
    scheduler = tickets.close_with(make_scheduler(url=valkey.url))
    await scheduler.initialize()
    overdue = await pending(tickets)
    deciding, may_decide = asyncio.Event(), asyncio.Event()

    async def hold() -> bool:
        deciding.set()
        await may_decide.wait()
        return True

    tickets.channels.is_current = hold  # type: ignore[method-assign]
    await tickets.let_time_run_out(overdue.ticket)
    await deciding.wait()
    await valkey.start()
    await eventually(lambda: scheduler.available)
    await scheduler.schedule_auto_close(overdue.ticket.id, 0)
    await scheduler.reconcile()
    may_decide.set()
    await tickets.closed(overdue.ticket)
    await scheduler.shutdown()
    assert tickets.channels.removed == [overdue.ticket.id]
    assert len(tickets.channels.logged) == 1
    assert tickets.channels.dms == [overdue.ticket.id]
    expired = "select count(*) from punctual.ticket_events where event = 'expired'"
    assert await tickets.value(expired) == 1


async def _fill(redis: RedisView) -> None:
    await redis.call("CONFIG", "SET", "maxmemory", 1)


async def _make_room(redis: RedisView) -> None:
    await redis.call("CONFIG", "SET", "maxmemory", 0)


async def _make_replica(redis: RedisView) -> None:
    await redis.call("REPLICAOF", "127.0.0.1", 1)  # a port at which nobody answers


async def _make_primary(redis: RedisView) -> None:
    await redis.call("REPLICAOF", "NO", "ONE")


@pytest.mark.parametrize(
    ("spoil", "fix"),
    [(_fill, _make_room), (_make_replica, _make_primary)],
    ids=["full", "read-only"],
)
async def test_a_redis_that_takes_no_writes_counts_as_away(
    *,
    scheduler: ScheduledTask,
    tickets: Tickets,
    own_redis: RedisView,
    caplog: pytest.LogCaptureFixture,
    spoil: Act,
    fix: Act,
) -> None:
    overdue, later = await pending(tickets), await pending(tickets)
    await spoil(own_redis)
    await eventually(lambda: not scheduler.available)
    assert await scheduler.schedule_auto_close(later.ticket.id, 1) is None
    await tickets.let_time_run_out(overdue.ticket)
    await tickets.closed(overdue.ticket)
    assert problems(caplog) == [AWAY]

    await fix(own_redis)
    await eventually(lambda: scheduler.available)
    assert await scheduler.schedule_auto_close(later.ticket.id, 1) == later.job_id
    assert problems(caplog) == [AWAY]
    assert caplog.messages.count(BACK) == 1


@pytest.mark.parametrize("with_redis", [True, False], ids=["with Redis", "without Redis"])
async def test_overdue_timers_of_all_kinds_are_found_whatever_became_of_their_jobs(
    *,
    make_scheduler: MakeScheduler,
    database: Database,
    alarms: Alarms,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    with_redis: bool,
) -> None:
    """Those that are found only by reading all are looked for less often, and with Redis by the
    reconciliation."""
    for pause in ("WATCH_OTHERS_INTERVAL_S", "RECONCILE_SOONEST_S"):
        monkeypatch.setattr(f"domains.scheduled_task.scheduled_task.{pause}", 0.2)
    kinds = [Alarm(database), HiddenAlarm(database)]
    scheduler = make_scheduler(*kinds, url=redis_url if with_redis else None)
    await scheduler.initialize()
    await alarms.set(1, after=-HOUR)
    await eventually(lambda: all([1] in kind.rings for kind in kinds))
