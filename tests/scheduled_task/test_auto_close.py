"""The auto-close job from its setting to the closed ticket: what it says, tries and leaves."""

from __future__ import annotations

from typing import cast

import pytest

from domains.database import Database
from domains.scheduled_task import ScheduledTask
from domains.ticket_lifecycle.channels import DiscordFailedError, PermissionMissingError
from domains.ticket_lifecycle.models import Ticket, TicketStatus
from tests.waiting import eventually

from .conftest import MakeScheduler
from .redis_view import FAILED, RedisView
from .tickets import Tickets

pytestmark = pytest.mark.usefixtures("ends_soon", "only_the_job")

WRONG = "Discord is having a bad day"


@pytest.fixture
def only_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else finds overdue tickets or half-done closes while these tests run."""
    monkeypatch.setattr("domains.scheduled_task.scheduled_task.WATCH_DEADLINES_EVERY_S", 3600)
    monkeypatch.setattr("domains.scheduled_task.scheduled_task.RESUME_EVERY_S", 3600)


@pytest.fixture
async def scheduler(make_scheduler: MakeScheduler, tickets: Tickets) -> ScheduledTask:
    scheduler = tickets.close_with(make_scheduler())
    await scheduler.initialize()
    return scheduler


async def due_ticket(tickets: Tickets, scheduler: ScheduledTask) -> tuple[Ticket, str]:
    """Its time is up, and its job is about to run."""
    ticket = await tickets.open()
    await tickets.ask(ticket)
    await tickets.let_time_run_out(ticket)
    job_id = await scheduler.schedule_auto_close(ticket.id, 0)
    assert job_id
    return ticket, job_id


async def test_a_ticket_closes_when_it_was_said_and_the_log_says_so(
    scheduler: ScheduledTask,
    tickets: Tickets,
    database: Database,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ticket = await tickets.open()
    await tickets.ask(ticket, hours=0.3 / 3600)

    async def closed() -> bool:
        return await tickets.is_closed(ticket)

    await eventually(closed)
    done = f"✅ Successfully auto-closed ticket {ticket.id}"
    await eventually(lambda: done in caplog.messages)
    assert caplog.messages.count(f"🤖 Processing auto-close for ticket {ticket.id}") == 1
    assert caplog.messages.count(done) == 1
    late_ms = await tickets.value(
        "select late_ms from punctual.ticket_events where event = 'expired' and ticket_id = $1",
        ticket.id,
    )
    assert cast("int", late_ms) >= 0
    assert tickets.channels.removed == [ticket.id]


async def test_a_success_leaves_no_key_behind(
    scheduler: ScheduledTask, tickets: Tickets, redis: RedisView
) -> None:
    before = await redis.keys()
    ticket, _ = await due_ticket(tickets, scheduler)
    # The timer of the deadline that was moved; nobody asks for it any more.
    await scheduler.cleanup_orphaned_jobs()

    async def as_before() -> bool:
        return await tickets.is_closed(ticket) and await redis.keys() == before

    await eventually(as_before)
    counts = await scheduler.counts()
    assert (counts.completed, counts.failed) == (0, 0)


async def test_a_job_that_finds_nothing_to_do_says_why_and_changes_nothing(
    scheduler: ScheduledTask,
    tickets: Tickets,
    redis: RedisView,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ticket = await tickets.open()
    _, job_id = await tickets.ask(ticket)
    assert job_id
    assert ticket.channel_id
    tickets.channels.say(ticket.channel_id, ticket.opener_id, "I still need help")
    await tickets.let_time_run_out(ticket)
    await redis.make_due(job_id)

    async def done() -> bool:
        return await redis.due(job_id) is None and await redis.raw_record(job_id) is None

    await eventually(done)
    nothing = f"Nothing to auto-close in ticket {ticket.id}: the opener has answered"
    assert nothing in caplog.messages
    assert await tickets.status(ticket) is TicketStatus.OPEN


async def test_a_job_that_comes_before_the_deadline_waits_for_it(
    scheduler: ScheduledTask, tickets: Tickets, redis: RedisView, database: Database
) -> None:
    ticket = await tickets.open()
    _, job_id = await tickets.ask(ticket, hours=1)
    assert job_id
    deadline = await redis.due(job_id)
    assert deadline
    await redis.make_due(job_id)

    async def put_back() -> bool:
        due = await redis.due(job_id)
        return due is not None and due > database.clock.now()

    await eventually(put_back)
    assert await redis.due(job_id) == pytest.approx(deadline, abs=1)
    assert (await redis.record(job_id)).get("attempts", 0) == 0
    assert await tickets.status(ticket) is TicketStatus.OPEN


async def test_a_failure_is_logged_in_one_line_and_retried_a_minute_later(
    scheduler: ScheduledTask,
    tickets: Tickets,
    redis: RedisView,
    database: Database,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tickets.channels.failures["remove"] = [DiscordFailedError(WRONG)]
    before = database.clock.now()
    ticket, job_id = await due_ticket(tickets, scheduler)

    async def waits_for_its_retry() -> bool:
        return (await redis.due(job_id) or 0) > 1

    await eventually(waits_for_its_retry)
    assert f"❌ Failed to auto-close ticket {ticket.id}: {WRONG}" in caplog.messages
    due = await redis.due(job_id)
    assert due
    assert before + 60 <= due <= database.clock.now() + 60
    assert await tickets.status(ticket) is TicketStatus.CLOSING

    await redis.make_due(job_id)

    async def closed() -> bool:
        return await tickets.is_closed(ticket)

    await eventually(closed)
    assert tickets.channels.removed == [ticket.id]
    assert [ticket_id for ticket_id, _ in tickets.channels.logged] == [ticket.id]


async def test_the_retry_of_a_half_done_close_is_no_orphan(
    scheduler: ScheduledTask, tickets: Tickets, redis: RedisView
) -> None:
    """The request has expired, but the ticket is not closed before its channel is gone."""
    tickets.channels.failures["remove"] = [DiscordFailedError(WRONG)]
    _, job_id = await due_ticket(tickets, scheduler)

    async def waits_for_its_retry() -> bool:
        return (await redis.due(job_id) or 0) > 1

    await eventually(waits_for_its_retry)
    due = await redis.due(job_id)
    await scheduler.cleanup_orphaned_jobs()
    await scheduler.reconcile()
    assert await redis.due(job_id) == due


@pytest.mark.parametrize("call", ["opener_wrote_after", "remove"])
async def test_after_the_fourth_failure_a_person_is_asked_and_the_job_is_kept(
    scheduler: ScheduledTask, tickets: Tickets, redis: RedisView, call: str
) -> None:
    """Before anything is decided, when the request stays pending, and at the very end."""
    tickets.channels.failures[call] = [DiscordFailedError(WRONG)] * 4
    ticket, job_id = await due_ticket(tickets, scheduler)
    for attempt in range(1, 5):

        async def failed(attempt: int = attempt) -> bool:
            record = await redis.record(job_id)
            return record["attempts"] == attempt and record["status"] in ("queued", "failed")

        await eventually(failed)
        await redis.make_due(job_id)
    record = await redis.record(job_id)
    assert record["status"] == "failed"
    assert f"DiscordFailedError: {WRONG}" in record["error"]
    assert await redis.ids(FAILED) == [job_id]
    attention = await tickets.value(
        "select attention from punctual.tickets where id = $1", ticket.id
    )
    assert WRONG in cast("str", attention)
    assert tickets.channels.attention == [(ticket.id, attention)]
    assert (await scheduler.counts()).failed == 1


@pytest.mark.parametrize("call", ["opener_wrote_after", "remove"])
async def test_a_missing_permission_fails_the_job_at_once_and_is_told_to_a_person_once(
    scheduler: ScheduledTask,
    tickets: Tickets,
    redis: RedisView,
    caplog: pytest.LogCaptureFixture,
    call: str,
) -> None:
    """No other attempt of the same hour fixes it."""
    missing = "the bot lacks the permission Manage Channels in #ticket-0001"
    tickets.channels.failures[call] = [PermissionMissingError(missing)]
    ticket, job_id = await due_ticket(tickets, scheduler)

    async def failed() -> bool:
        return await redis.ids(FAILED) == [job_id]

    await eventually(failed)
    record = await redis.record(job_id)
    assert record["attempts"] == 1
    assert missing in record["error"]
    assert f"❌ Failed to auto-close ticket {ticket.id}: {missing}" in caplog.messages
    assert tickets.channels.attention == [(ticket.id, missing)]
    await scheduler.cleanup_orphaned_jobs()
    await scheduler.reconcile()
    assert await redis.due(job_id) is None, "it is a person's turn"
    assert await redis.ids(FAILED) == [job_id]
