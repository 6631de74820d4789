"""The auto-close job from its setting to the closed ticket: what it says, tries and leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from domains.database import Database, Transaction
from domains.scheduled_task import ScheduledTask
from domains.ticket_lifecycle.channels import DiscordFailedError, PermissionMissingError
from domains.ticket_lifecycle.expire_requests import Decision
from domains.ticket_lifecycle.models import Ticket, TicketStatus
from tests.waiting import eventually

from .conftest import MakeScheduler
from .redis_view import FAILED, RedisView
from .tickets import Tickets

pytestmark = pytest.mark.usefixtures("ends_soon", "only_jobs")

WRONG = "Discord is having a bad day"


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
    scheduler: ScheduledTask, tickets: Tickets, caplog: pytest.LogCaptureFixture
) -> None:
    ticket = await tickets.open()
    await tickets.ask(ticket, hours=0.3 / 3600)
    await tickets.closed(ticket)
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

    async def as_before() -> bool:
        return await tickets.is_closed(ticket) and await redis.keys() == before

    await eventually(as_before)
    counts = await scheduler.counts()
    assert (counts.completed, counts.failed) == (0, 0)


async def test_a_job_that_finds_nothing_to_do_says_why_and_changes_nothing(
    scheduler: ScheduledTask, tickets: Tickets, caplog: pytest.LogCaptureFixture
) -> None:
    ticket = await tickets.open()
    request_id, _ = await tickets.ask(ticket)
    # Behind the scheduler's back, for else the job would be gone.
    await tickets.execute("update punctual.close_requests set status = 'answered'")
    payload = {"ticket_id": ticket.id, "close_request_id": request_id}
    await scheduler.job_types["auto-close"].run(payload)
    assert f"Nothing to auto-close in ticket {ticket.id}: answered" in caplog.messages
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


@pytest.mark.parametrize("answered", [True, False], ids=["an answer is found", "there is none"])
async def test_where_messages_may_have_gone_by_the_ticket_is_read_and_the_job_waits(
    scheduler: ScheduledTask, tickets: Tickets, redis: RedisView, *, answered: bool
) -> None:
    may_read = asyncio.Event()
    read = tickets.channels.opener_wrote_after

    async def slowly(ticket: Ticket, message_id: int) -> int | None:
        await may_read.wait()
        return await read(ticket, message_id)

    tickets.channels.opener_wrote_after = slowly  # type: ignore[method-assign]
    ticket = await tickets.open()
    await tickets.ask(ticket)
    if answered:
        assert ticket.channel_id
        tickets.channels.say(ticket.channel_id, ticket.opener_id, "I still need help")
    await tickets.let_time_run_out(ticket)
    await tickets.execute("update punctual.close_requests set read_at = null")
    job_id = await scheduler.schedule_auto_close(ticket.id, 0)
    assert job_id

    async def waits() -> bool:
        return (await redis.due(job_id) or 0) > 0

    await eventually(waits)
    assert (await redis.record(job_id)).get("attempts", 0) == 0
    may_read.set()

    async def job_is_gone() -> bool:
        return await redis.due(job_id) is None

    await eventually(job_is_gone)
    if answered:
        assert await tickets.status(ticket) is TicketStatus.OPEN
    else:
        await tickets.closed(ticket)


async def test_what_discord_refuses_is_logged_in_one_line_and_tried_again_a_minute_later(
    scheduler: ScheduledTask,
    tickets: Tickets,
    redis: RedisView,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The job has decided by then, and is over."""
    tickets.channels.failures["remove"] = [DiscordFailedError(WRONG)]
    ticket, job_id = await due_ticket(tickets, scheduler)
    await eventually(
        lambda: f"❌ Failed to auto-close ticket {ticket.id}: {WRONG}" in caplog.messages
    )
    left = "select extract(epoch from due_at - now()) from punctual.effects where failures = 1"
    assert 50 < float(cast("float", await tickets.value(left))) <= 60
    assert await tickets.status(ticket) is TicketStatus.CLOSING
    assert job_id not in await redis.ids(FAILED)
    assert await redis.due(job_id) is None

    await tickets.execute("update punctual.effects set due_at = now()")
    await tickets.closed(ticket)
    assert tickets.channels.removed == [ticket.id]
    assert [ticket_id for ticket_id, _ in tickets.channels.logged] == [ticket.id]


async def test_a_missing_permission_is_told_to_a_person_once_and_at_once(
    scheduler: ScheduledTask, tickets: Tickets, caplog: pytest.LogCaptureFixture
) -> None:
    """No other attempt of the same hour fixes it."""
    missing = PermissionMissingError(("Manage Channels",), "#ticket-0001")
    tickets.channels.failures["remove"] = [missing]
    ticket, _ = await due_ticket(tickets, scheduler)
    await eventually(lambda: bool(tickets.channels.attention))
    assert f"❌ Failed to auto-close ticket {ticket.id}: {missing}" in caplog.messages
    await scheduler.cleanup_orphaned_jobs()
    await scheduler.reconcile()
    assert (await scheduler.counts()).delayed == 0, "it is a person's turn"
    told = {"code": missing.code, **missing.params}
    assert tickets.channels.attention == [(ticket.id, told)]


async def test_a_decision_that_fails_four_times_is_logged_and_its_job_is_kept(
    scheduler: ScheduledTask,
    tickets: Tickets,
    redis: RedisView,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(_: Transaction, ticket_ids: Sequence[int]) -> Decision:
        raise RuntimeError(f"cannot decide {ticket_ids}")

    monkeypatch.setattr(tickets.lifecycle, "decide_expiry", fail)
    ticket, job_id = await due_ticket(tickets, scheduler)
    for attempt in range(1, 5):

        async def failed(attempt: int = attempt) -> bool:
            record = await redis.record(job_id)
            return record["attempts"] == attempt and record["status"] in ("queued", "failed")

        await eventually(failed)
        await redis.make_due(job_id)
    record = await redis.record(job_id)
    assert record["status"] == "failed"
    assert f"RuntimeError: cannot decide [{ticket.id}]" in record["error"]
    assert await redis.ids(FAILED) == [job_id]
    assert (await scheduler.counts()).failed == 1
    failed_line = f"❌ Failed to auto-close ticket {ticket.id}: cannot decide [{ticket.id}]"
    assert caplog.messages.count(failed_line) == 1
    assert await tickets.status(ticket) is TicketStatus.OPEN
