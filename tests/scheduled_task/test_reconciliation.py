"""Redis is made to agree with PostgreSQL, in both directions and however much there is."""

from __future__ import annotations

import time

import pytest

from domains.database import Database
from domains.scheduled_task import ScheduledTask
from domains.ticket_lifecycle.models import Ticket
from tests.waiting import eventually

from .conftest import MakeScheduler, Measured
from .job_types import HOUR, Alarm, Alarms, Note, request
from .redis_view import INCOMPLETE, RedisView, record_key
from .tickets import OPENER_ID, STAFF_ID, Tickets

pytestmark = pytest.mark.usefixtures("ends_soon")

KINDS = 2
"""Timers of a request that is to run for an hour: its end, and a reminder."""
STARTING = "🧹 Starting cleanup of orphaned scheduled jobs..."


@pytest.fixture
async def scheduler(make_scheduler: MakeScheduler, tickets: Tickets) -> ScheduledTask:
    scheduler = tickets.close_with(make_scheduler())
    await scheduler.initialize()
    return scheduler


async def asked(tickets: Tickets) -> tuple[Ticket, str]:
    """It has an auto-close and a reminder."""
    ticket = await tickets.open()
    _, job_id = await tickets.ask(ticket)
    assert job_id
    return ticket, job_id


async def until_counted(scheduler: ScheduledTask, delayed: int) -> None:
    async def counted() -> bool:
        return (await scheduler.counts()).delayed == delayed

    await eventually(counted)


# --- orphans


async def test_jobs_of_tickets_gone_closed_excluded_or_not_asked_any_more_are_cleaned_up(
    scheduler: ScheduledTask,
    tickets: Tickets,
    redis: RedisView,
    caplog: pytest.LogCaptureFixture,
) -> None:
    gone, closed, excluded, denied, moved, kept = [await asked(tickets) for _ in range(6)]
    await until_counted(scheduler, 6 * KINDS)
    # Behind the bot's back, so that it cannot cancel the timers itself.
    for statement, (ticket, _) in (
        ("delete from punctual.tickets where id = $1", gone),
        ("update punctual.tickets set status = 'closed' where id = $1", closed),
        ("update punctual.tickets set exclude_from_autoclose = true where id = $1", excluded),
        ("update punctual.close_requests set status = 'denied' where ticket_id = $1", denied),
        (
            "update punctual.close_requests set auto_close_at = auto_close_at + interval '1 h'"
            " where ticket_id = $1",
            moved,
        ),
    ):
        await tickets.execute(statement, ticket.id)

    assert await scheduler.cleanup_orphaned_jobs() == 5 * KINDS
    assert caplog.messages[-2:] == [STARTING, "✅ Cleaned up 10 orphaned jobs"]
    assert kept[1] in await redis.ids(INCOMPLETE)
    assert (await scheduler.counts()).delayed == KINDS
    assert record_key(kept[1]) in await redis.keys()
    assert not {record_key(job_id) for _, job_id in (gone, closed, excluded, denied, moved)} & (
        await redis.keys()
    )

    assert await scheduler.cleanup_orphaned_jobs() == 0
    assert caplog.messages[-2:] == [STARTING, "✅ Cleaned up 0 orphaned jobs"]

    await scheduler.reconcile()
    assert (await scheduler.counts()).delayed == 2 * KINDS, "what was moved has its jobs again"


async def test_cleaning_up_leaves_the_jobs_of_others_alone(
    make_scheduler: MakeScheduler, tickets: Tickets, redis: RedisView
) -> None:
    far_off = 1_900_000_000.0
    notes = Note()
    scheduler = tickets.close_with(make_scheduler(notes))
    await scheduler.initialize()
    foreign = (
        "note-1-1900000000000",
        "auto-closer-1-1900000000000",
        "auto-close-1",
        "auto-close-x-1900000000000",
        "auto-close-1-1900000000000-2",
        "not-auto-close-1-1900000000000",
        "auto-close-１-1900000000000",  # a digit, but not one of ours
    )
    for key in foreign:
        await scheduler.enqueue(notes, request(key, far_off))
    await scheduler.schedule_auto_close(1, 1)
    assert await scheduler.cleanup_orphaned_jobs() == 1
    await scheduler.reconcile()
    assert sorted(await redis.ids(INCOMPLETE)) == sorted(foreign)


async def test_a_running_job_is_never_cleaned_up(
    make_scheduler: MakeScheduler, database: Database, alarms: Alarms, redis: RedisView
) -> None:
    found: list[int] = []

    class Interrupted(Alarm):
        async def before_firing(self) -> None:
            await alarms.remove(1)
            found.append(await scheduler.cleanup_orphaned_jobs())

    scheduler = make_scheduler(Interrupted(database))
    await scheduler.initialize()
    await alarms.set(1, after=-HOUR)
    await scheduler.reconcile()
    await eventually(lambda: bool(found))
    await scheduler.shutdown()
    assert found == [0]
    assert await redis.keys() == set()


# --- both directions


@pytest.mark.usefixtures("only_jobs")
@pytest.mark.parametrize("number", [10_000, pytest.param(100_000, marks=pytest.mark.long)])
async def test_an_empty_redis_has_every_pending_timer_again_without_ever_being_blocked(
    *,
    scheduler: ScheduledTask,
    tickets: Tickets,
    redis: RedisView,
    caplog: pytest.LogCaptureFixture,
    measured: Measured,
    number: int,
) -> None:
    await seed(tickets, number)
    await redis.note_slow_commands()

    started = time.perf_counter()
    await scheduler.reconcile()
    to_add = time.perf_counter() - started
    assert (await scheduler.counts()).delayed == KINDS * number
    assert f"Reconciled: {KINDS * number} jobs added, 0 orphaned jobs removed" in caplog.messages

    started = time.perf_counter()
    await scheduler.reconcile()
    to_check = time.perf_counter() - started
    assert not [m for m in caplog.messages if m.startswith("Reconciled: 0 jobs")]

    await tickets.execute("update punctual.close_requests set status = 'denied' where id % 2 = 0")
    started = time.perf_counter()
    assert await scheduler.cleanup_orphaned_jobs() == KINDS * number // 2
    to_remove = time.perf_counter() - started
    assert (await scheduler.counts()).delayed == KINDS * number // 2
    assert len(await redis.keys()) == KINDS * number // 2 + 2  # `incomplete` and `subjects` too
    slow = await redis.slow_commands()
    assert slow.that_block == []
    measured(
        f"{number} requests with two timers each: {to_add:.1f} s to add all,"
        f" {to_check:.1f} s to find all there, {to_remove:.1f} s to remove half; {slow}"
    )


async def seed(tickets: Tickets, number: int) -> None:
    await tickets.execute(
        """insert into punctual.tickets (guild_id, number, channel_id, opener_id)
           select n % 100, n, n, $1 from generate_series(1, $2::int) n""",
        OPENER_ID,
        number,
    )
    await tickets.execute(
        """insert into punctual.close_requests
               (ticket_id, requested_by_id, auto_close_at, message_id)
           select id, $1, date_trunc('milliseconds', now()) + interval '1 h' + id * interval '1 ms',
                  1
           from punctual.tickets""",
        STAFF_ID,
    )
    # As PostgreSQL does by itself.
    await tickets.execute("analyze punctual.tickets, punctual.close_requests")


async def test_the_job_that_reconciliation_makes_is_the_one_that_was_lost(
    scheduler: ScheduledTask, tickets: Tickets, redis: RedisView
) -> None:
    _, job_id = await asked(tickets)
    due, record = await redis.due(job_id), await redis.record(job_id)
    await redis.call("FLUSHALL")
    await scheduler.reconcile()
    assert await redis.due(job_id) == due
    made = await redis.record(job_id)
    assert {**made, "queued": 0} == {**record, "queued": 0}
