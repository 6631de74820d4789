"""Redis is made to agree with PostgreSQL, in both directions and however much there is."""

from __future__ import annotations

import time

import pytest
from domains.ticket_lifecycle.close_requests import timer_of

from domains.scheduled_task import ScheduledTask
from domains.scheduled_task.job_type import JobRequest
from domains.scheduled_task.jobs.auto_close import auto_close_job
from domains.ticket_lifecycle.channels import DiscordFailedError
from domains.ticket_lifecycle.models import Ticket
from tests.waiting import eventually

from .conftest import MakeByHand, MakeScheduler, Measured
from .job_types import ForgottenNote, Note, request
from .redis_view import INCOMPLETE, RedisView, record_key
from .tickets import OPENER_ID, STAFF_ID, Tickets

pytestmark = pytest.mark.usefixtures("ends_soon")

STARTING = "🧹 Starting cleanup of orphaned scheduled jobs..."


@pytest.fixture
async def scheduler(make_scheduler: MakeScheduler, tickets: Tickets) -> ScheduledTask:
    scheduler = tickets.close_with(make_scheduler())
    await scheduler.initialize()
    return scheduler


async def asked(tickets: Tickets) -> tuple[Ticket, str]:
    ticket = await tickets.open()
    _, job_id = await tickets.ask(ticket)
    assert job_id
    return ticket, job_id


# --- orphans


async def test_jobs_of_tickets_gone_closed_excluded_or_not_asked_any_more_are_cleaned_up(
    scheduler: ScheduledTask,
    tickets: Tickets,
    redis: RedisView,
    caplog: pytest.LogCaptureFixture,
) -> None:
    gone, closed, excluded, denied, moved, kept = [await asked(tickets) for _ in range(6)]
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

    assert await scheduler.cleanup_orphaned_jobs() == 5
    assert caplog.messages[-2:] == [STARTING, "✅ Cleaned up 5 orphaned jobs"]
    assert await redis.ids(INCOMPLETE) == [kept[1]]
    assert record_key(kept[1]) in await redis.keys()
    assert not {record_key(job_id) for _, job_id in (gone, closed, excluded, denied, moved)} & (
        await redis.keys()
    )

    assert await scheduler.cleanup_orphaned_jobs() == 0
    assert caplog.messages[-2:] == [STARTING, "✅ Cleaned up 0 orphaned jobs"]

    await scheduler.reconcile()
    assert len(await redis.ids(INCOMPLETE)) == 2, "the moved deadline has a job again"


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
    make_scheduler: MakeScheduler, tickets: Tickets, by_hand: MakeByHand, redis: RedisView
) -> None:
    found: list[int] = []

    async def clean_up_meanwhile(_: str) -> None:
        await tickets.execute("update punctual.close_requests set status = 'denied'")
        found.append(await scheduler.cleanup_orphaned_jobs())

    ticket = await tickets.open()
    request_id, _ = await tickets.ask(ticket)
    request = await tickets.lifecycle.close_request(request_id)
    timer = timer_of(request) if request else None
    assert timer
    key = auto_close_job(timer).key
    notes = ForgottenNote(clean_up_meanwhile)
    await by_hand(notes).add(notes, JobRequest(key, 0, ticket.id, {"key": key}))
    scheduler = tickets.close_with(make_scheduler(notes))
    await scheduler.initialize()

    async def done() -> bool:
        return bool(found) and await redis.due(key) is None

    await eventually(done)
    assert found == [0]
    assert notes.runs == {key: 1}


# --- both directions


@pytest.fixture
def only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domains.scheduled_task.scheduled_task.RECONCILE_SOONEST_S", 3600)
    monkeypatch.setattr("domains.scheduled_task.scheduled_task.RECONCILE_EVERY_S", 3600)


@pytest.mark.usefixtures("only_when_asked")
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
    assert (await scheduler.counts()).delayed == number
    assert f"Reconciled: {number} jobs added, 0 orphaned jobs removed" in caplog.messages

    started = time.perf_counter()
    await scheduler.reconcile()
    to_check = time.perf_counter() - started
    assert not [m for m in caplog.messages if m.startswith("Reconciled: 0 jobs")]

    await tickets.execute("update punctual.close_requests set status = 'denied' where id % 2 = 0")
    started = time.perf_counter()
    assert await scheduler.cleanup_orphaned_jobs() == number // 2
    to_remove = time.perf_counter() - started
    assert (await scheduler.counts()).delayed == number // 2
    assert len(await redis.keys()) == number // 2 + 2  # `incomplete` and `subjects` too
    slow = await redis.slow_commands()
    assert slow.that_block == []
    measured(
        f"{number} pending timers: {to_add:.1f} s to add all, {to_check:.1f} s to find all there,"
        f" {to_remove:.1f} s to remove half; {slow}"
    )


async def seed(tickets: Tickets, number: int) -> None:
    await tickets.execute(
        """insert into punctual.tickets (guild_id, number, channel_id, opener_id)
           select n % 100, n, n, $1 from generate_series(1, $2::int) n""",
        OPENER_ID,
        number,
    )
    await tickets.execute(
        """insert into punctual.close_requests (ticket_id, requested_by_id, auto_close_at, message_id)
           select id, $1, date_trunc('milliseconds', now()) + interval '1 h' + id * interval '1 ms',
                  1
           from punctual.tickets""",
        STAFF_ID,
    )
    await tickets.execute("analyze tickets, close_requests")  # as PostgreSQL does by itself


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


async def test_reconciliation_resumes_a_half_done_close(
    scheduler: ScheduledTask, tickets: Tickets
) -> None:
    ticket = await tickets.open()
    tickets.channels.failures["remove"] = [DiscordFailedError("not now")]
    with pytest.raises(DiscordFailedError):
        await tickets.lifecycle.close_ticket(ticket.id, STAFF_ID)
    await tickets.execute(
        "update punctual.tickets set close_retry_at = now() - interval '1 minute'"
    )
    await scheduler.reconcile()
    assert await tickets.is_closed(ticket)
    assert tickets.channels.removed == [ticket.id]


async def test_what_needs_attention_is_not_scheduled_again_and_again(
    scheduler: ScheduledTask, tickets: Tickets, redis: RedisView
) -> None:
    ticket, job_id = await asked(tickets)
    await scheduler.cancel_auto_close(job_id)
    await tickets.execute("update punctual.tickets set attention = 'no' where id = $1", ticket.id)
    await scheduler.reconcile()
    assert await redis.due(job_id) is None
