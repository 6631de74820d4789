"""Setting timers, taking them back, and counting them."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator
from typing import ClassVar

import pytest

from domains.database import Database
from domains.scheduled_task import ScheduledTask
from domains.scheduled_task.job_type import JobRequest, Payload
from tests.waiting import eventually

from .conftest import MakeScheduler
from .job_types import Alarm, FailingOnce, Note, request
from .redis_view import INCOMPLETE, RedisView
from .tickets import STAFF_ID, Tickets

pytestmark = pytest.mark.usefixtures("ends_soon", "only_jobs")

WALKING = {"keys", "scan", "zscan", "sscan", "hscan", "zrange", "lrange", "smembers", "hgetall"}
"""Commands that look at jobs nobody asked about."""


class Holding(Alarm):
    """Stands in for auto-close: it can be held while it runs, and no ticket has a timer."""

    name: ClassVar[str] = "auto-close"
    wanted: ClassVar[str] = """
        select 1 as subject_id, 1 as owner_id, 1 as guild_id, now() as due, '' as payload
        where false"""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.runs: Counter[str] = Counter()
        self.may_end = asyncio.Event()

    async def run(self, payload: Payload) -> None:
        self.runs[str(payload["key"])] += 1
        await self.may_end.wait()


@pytest.fixture
async def scheduler(make_scheduler: MakeScheduler, tickets: Tickets) -> ScheduledTask:
    scheduler = tickets.close_with(make_scheduler())
    await scheduler.initialize()
    return scheduler


@pytest.fixture
async def without_redis(
    make_scheduler: MakeScheduler, tickets: Tickets
) -> AsyncGenerator[ScheduledTask]:
    scheduler = tickets.close_with(make_scheduler(url=None))
    await scheduler.initialize()
    yield scheduler
    await scheduler.shutdown()


async def deadline_ms(tickets: Tickets, request_id: int) -> int:
    value = await tickets.value(
        "select (extract(epoch from auto_close_at) * 1000)::bigint from punctual.close_requests"
        " where id = $1",
        request_id,
    )
    assert isinstance(value, int)
    return value


# --- scheduling


async def test_the_job_of_a_close_request_is_named_after_ticket_and_deadline(
    scheduler: ScheduledTask, tickets: Tickets, redis: RedisView
) -> None:
    ticket = await tickets.open()
    request_id, job_id = await tickets.ask(ticket)
    ms = await deadline_ms(tickets, request_id)
    assert job_id == f"auto-close-{ticket.id}-{ms}"
    assert job_id is not None
    assert await redis.due(job_id) == ms / 1000
    record = await redis.record(job_id)
    assert record["function"] == "auto-close"
    payload = {"version": 1, "ticket_id": ticket.id, "close_request_id": request_id}
    assert record["kwargs"] == payload


async def test_the_reminder_of_a_request_is_named_after_it_and_moves_with_the_deadline(
    scheduler: ScheduledTask, tickets: Tickets, redis: RedisView
) -> None:
    ticket = await tickets.open()
    request_id, _ = await tickets.ask(ticket, hours=1)
    half_way = await deadline_ms(tickets, request_id) - 30 * 60 * 1000
    await eventually(lambda: reminders(redis))
    [job_id] = [key for key in await redis.ids(INCOMPLETE) if key.startswith("send-reminder-")]
    name, _, ms = job_id.rpartition("-")
    assert name == f"send-reminder-{request_id}"
    assert half_way - 1 <= int(ms) <= half_way + 1
    await tickets.lifecycle.extend_close_request(ticket.id, STAFF_ID)
    assert await redis.due(job_id) is None
    assert await reminders(redis)


async def reminders(redis: RedisView) -> bool:
    return any(key.startswith("send-reminder-") for key in await redis.ids(INCOMPLETE))


async def test_scheduling_a_ticket_again_is_scheduling_it_once(
    scheduler: ScheduledTask, tickets: Tickets, redis: RedisView
) -> None:
    ticket = await tickets.open()
    _, job_id = await tickets.ask(ticket)
    again = await asyncio.gather(*(scheduler.schedule_auto_close(ticket.id, 1) for _ in range(10)))
    assert set(again) == {job_id}
    assert [key for key in await redis.ids(INCOMPLETE) if key.startswith("auto-close-")] == [job_id]


async def test_a_changed_deadline_is_another_job_and_the_old_one_goes(
    scheduler: ScheduledTask, tickets: Tickets, redis: RedisView
) -> None:
    ticket = await tickets.open()
    _, first = await tickets.ask(ticket, hours=1)
    _, second = await tickets.ask(ticket, hours=2)
    assert first
    assert second
    assert first != second
    assert await redis.due(first) is None
    assert await redis.due(second) is not None


async def test_scheduling_without_a_request_is_due_after_the_delay_by_postgresqls_clock(
    make_scheduler: MakeScheduler, database: Database, redis: RedisView
) -> None:
    scheduler = make_scheduler(Holding(database))
    await scheduler.connect()
    before = database.clock.now()
    job_id = await scheduler.schedule_auto_close(4711, 0.5)
    after = database.clock.now()
    assert job_id
    match = re.fullmatch(r"auto-close-4711-(\d+)", job_id)
    assert match
    due = int(match[1]) / 1000
    assert before + 1800 - 0.001 <= due <= after + 1800 + 0.001
    assert await redis.due(job_id) == due


async def test_without_redis_nothing_is_scheduled_and_none_says_so(
    without_redis: ScheduledTask, tickets: Tickets
) -> None:
    ticket = await tickets.open()
    _, job_id = await tickets.ask(ticket)
    assert job_id is None
    assert await without_redis.schedule_auto_close(ticket.id, 1) is None
    assert await without_redis.cancel_auto_close("auto-close-1-1") is False
    assert await without_redis.cancel_auto_close_for_ticket(ticket.id) == 0


# --- cancelling


async def test_cancelling_a_scheduled_job_removes_every_trace_of_it(
    scheduler: ScheduledTask, tickets: Tickets, redis: RedisView
) -> None:
    before = await redis.keys()
    _, job_id = await tickets.ask(await tickets.open(), hours=0.25)  # too short for a reminder
    assert job_id
    assert await scheduler.cancel_auto_close(job_id) is True
    assert await redis.keys() == before
    assert await scheduler.cancel_auto_close(job_id) is False


async def test_a_cancelled_job_can_be_scheduled_again_at_once(
    scheduler: ScheduledTask, tickets: Tickets, redis: RedisView
) -> None:
    ticket = await tickets.open()
    _, job_id = await tickets.ask(ticket)
    assert job_id
    assert await scheduler.cancel_auto_close(job_id)
    assert await scheduler.schedule_auto_close(ticket.id, 1) == job_id
    assert await redis.due(job_id)


async def test_cancelling_an_unknown_job_says_false(scheduler: ScheduledTask) -> None:
    assert await scheduler.cancel_auto_close("auto-close-1-1") is False


async def test_a_running_job_is_not_cancelled_but_a_waiting_one_is(
    make_scheduler: MakeScheduler, database: Database, redis: RedisView
) -> None:
    holding = Holding(database)
    scheduler = make_scheduler(holding, concurrency=1)
    await scheduler.initialize()
    await scheduler.enqueue(holding, request("running"))
    await eventually(lambda: bool(holding.runs))
    await scheduler.enqueue(holding, request("waiting"))
    assert await scheduler.cancel_auto_close("running") is False
    assert await scheduler.cancel_auto_close("waiting") is True
    holding.may_end.set()

    async def all_done() -> bool:
        return await redis.keys() == set()

    await eventually(all_done)
    assert holding.runs == {"running": 1}


async def test_the_jobs_of_a_ticket_are_cancelled_without_looking_at_any_other(
    make_scheduler: MakeScheduler, database: Database, redis: RedisView
) -> None:
    auto_close, foreign = Holding(database), Note()
    scheduler = make_scheduler(auto_close, foreign)
    await scheduler.connect()  # with more than that, they would be cleaned up as orphans
    for ticket_id in (7, 70, 77, *range(1_000, 1_100)):
        await scheduler.schedule_auto_close(ticket_id, 1)
    for ms in (1_900_000_000_000, 1_900_000_000_001):
        await scheduler.enqueue(auto_close, JobRequest(f"auto-close-7-{ms}", ms / 1000, 7))
    await scheduler.enqueue(foreign, request("about 7 too", 1_900_000_000, subject_id=7))

    before = await redis.commands_served()
    assert await scheduler.cancel_auto_close_for_ticket(7) == 3
    served = await redis.commands_served() - before
    assert not WALKING & {name.removeprefix("cmdstat_") for name in served}
    assert served["cmdstat_evalsha"] == 3

    counts = await scheduler.counts()
    assert counts.delayed == 102 + 1
    assert await redis.due("about 7 too") is not None
    assert await scheduler.cancel_auto_close_for_ticket(7) == 0


# --- counting


async def test_counts_tell_jobs_by_state_as_attributes_and_by_name(
    make_scheduler: MakeScheduler, database: Database
) -> None:
    notes, failing, holding = Note(), FailingOnce(), Holding(database)
    scheduler = make_scheduler(notes, failing, holding, concurrency=1)
    await scheduler.initialize()
    for key in ("a", "b"):
        await scheduler.enqueue(notes, request(f"completed {key}"))
    await scheduler.enqueue(failing, request("failed"))
    await eventually(lambda: bool(failing.given_up))
    await scheduler.enqueue(holding, request("active"))
    await eventually(lambda: bool(holding.runs))
    for number in range(3):
        await scheduler.enqueue(notes, request(f"waiting {number}"))
    for number in range(4):
        await scheduler.enqueue(notes, request(f"delayed {number}", database.clock.now() + 60))
    counts = await scheduler.counts()
    assert (counts.waiting, counts.delayed, counts.active) == (3, 4, 1)
    assert (counts.completed, counts.failed) == (2, 1)
    states = ("waiting", "delayed", "active", "completed", "failed")
    assert [counts[state] for state in states] == [3, 4, 1, 2, 1]
    holding.may_end.set()
    await eventually(lambda: notes.runs.total() == 5)


async def test_the_job_is_told_though_timers_follow_a_moment_later(
    scheduler: ScheduledTask, tickets: Tickets
) -> None:
    """An effect that nobody waits for has its timers followed lazily; somebody asks before."""
    for _ in range(20):
        ticket = await tickets.open()
        (_, first), (_, second) = await tickets.ask(ticket), await tickets.ask(ticket, 2.0)
        assert first is not None
        assert second is not None
        assert first != second
