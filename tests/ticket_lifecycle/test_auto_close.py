"""A timer that rings: every answer it can get, and that any number of rings close once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.database import Database
from domains.scheduled_task.job_type import NotDueError
from domains.scheduled_task.timer import Timer
from domains.ticket_lifecycle.channels import (
    ChannelGoneError,
    DiscordAwayError,
    DiscordFailedError,
    PermissionMissingError,
)
from domains.ticket_lifecycle.models import (
    AutoCloseOutcome,
    CloseCause,
    CloseRequest,
    RequestStatus,
    Ticket,
    TicketStatus,
)
from tests.ticket_lifecycle.helpdesk import GUILD_ID, OPENER_ID, STAFF_ID, STRANGER_ID, HelpDesk
from tests.ticket_lifecycle.interruptions import Moment

FORBIDDEN = PermissionMissingError(("Read Message History",), "#ticket-0001")


async def overdue(desk: HelpDesk) -> tuple[Ticket, CloseRequest]:
    ticket = await desk.open()
    return ticket, await desk.run_out(await desk.ask(ticket))


async def is_closed(desk: HelpDesk, ticket: Ticket) -> bool:
    return (await desk.ticket(ticket.id)).status is TicketStatus.CLOSED


async def test_a_ticket_whose_time_is_up_is_closed(desk: HelpDesk) -> None:
    ticket, request = await overdue(desk)
    assert await desk.fire(request) is AutoCloseOutcome.CLOSED
    request, ticket = await desk.request(request.id), await desk.ticket(ticket.id)
    assert request.status is RequestStatus.EXPIRED
    assert request.resolved_by_id is None
    assert request.resolved_at is not None
    assert ticket.status is TicketStatus.CLOSED
    assert ticket.close_cause is CloseCause.EXPIRED
    assert ticket.closed_by_id is None
    assert ticket.close_reason == "Solved?"
    assert desk.shown_outcomes(request) == {"expired"}
    assert "opener_wrote_after" not in desk.interruptions.calls, "all has been heard"
    assert await desk.events(ticket) == ["opened", "close_requested", "expired", "closed"]


async def test_the_events_tell_how_late_the_decision_and_the_end_were(desk: HelpDesk) -> None:
    ticket, request = await overdue(desk)
    await desk.database.pool.execute(
        "update punctual.close_requests set auto_close_at = now() - interval '90 seconds'"
    )
    await desk.fire(request)
    late = {event.event: event.late_ms for event in await desk.lifecycle.events(ticket.id)}
    decided, ended = late.pop("expired"), late.pop("closed")
    assert decided is not None
    assert ended is not None
    assert 90_000 <= decided <= ended < 150_000
    assert set(late.values()) == {None}


async def test_a_closed_ticket_stays_as_it_is(desk: HelpDesk) -> None:
    ticket, request = await overdue(desk)
    await desk.fire(request)
    before = await desk.ticket(ticket.id)
    for request_id in (request.id, None):
        outcome = await desk.lifecycle.auto_close(ticket.id, request_id)
        assert outcome is AutoCloseOutcome.ALREADY_CLOSED
    await desk.deliver()
    assert await desk.ticket(ticket.id) == before
    assert len(desk.channels.logged) == 1


@pytest.mark.parametrize("hours", [1, None])
async def test_before_its_deadline_or_without_one_a_request_is_not_due(
    desk: HelpDesk, hours: float | None
) -> None:
    request = await desk.ask(await desk.open(), hours)
    assert await desk.fire(request) is AutoCloseOutcome.NOT_DUE
    assert await desk.request(request.id) == request


async def test_a_request_that_is_over_does_not_close(desk: HelpDesk) -> None:
    ticket, request = await overdue(desk)
    await desk.lifecycle.cancel_close_request(ticket.id, OPENER_ID)
    assert await desk.fire(request) is AutoCloseOutcome.NOT_PENDING
    assert not await is_closed(desk, ticket)


async def test_the_job_of_a_replaced_request_closes_for_the_one_that_stands(
    desk: HelpDesk,
) -> None:
    """A job is about its ticket; which request counts is read then."""
    ticket, first = await overdue(desk)
    second = await desk.ask(ticket)
    assert await desk.fire(first) is AutoCloseOutcome.NOT_PENDING
    await desk.run_out(second)
    assert await desk.fire(first) is AutoCloseOutcome.CLOSED
    assert (await desk.request(second.id)).status is RequestStatus.EXPIRED


async def test_an_excluded_ticket_does_not_close(desk: HelpDesk) -> None:
    ticket, request = await overdue(desk)
    await desk.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
    assert await desk.fire(request) is AutoCloseOutcome.EXCLUDED
    assert (await desk.request(request.id)).status is RequestStatus.PENDING


async def test_what_is_not_there_is_gone(desk: HelpDesk) -> None:
    ticket = await desk.open()
    _, request = await overdue(desk)
    auto_close = desk.lifecycle.auto_close
    assert await auto_close(999_999_999, request.id) is AutoCloseOutcome.GONE
    assert await auto_close(ticket.id, 999_999_999) is AutoCloseOutcome.GONE
    assert await auto_close(ticket.id, request.id) is AutoCloseOutcome.GONE, "another's request"
    assert await auto_close(ticket.id) is AutoCloseOutcome.GONE, "nobody asks"
    assert (await desk.request(request.id)).status is RequestStatus.PENDING


async def test_without_a_named_request_the_pending_one_is_meant(desk: HelpDesk) -> None:
    ticket, _ = await overdue(desk)
    assert await desk.lifecycle.auto_close(ticket.id) is AutoCloseOutcome.CLOSED


@pytest.mark.parametrize("why", ["no gateway", "behind", "still noting"])
async def test_nothing_is_decided_before_all_that_was_said_is_known(
    desk: HelpDesk, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domains.ticket_lifecycle.expire_requests.NOTING_TIMEOUT_S", 0.01)
    ticket, request = await overdue(desk)
    status = desk.lifecycle.discord_status
    with status.noting(GUILD_ID):
        if why != "still noting":
            desk.channels.current = why != "behind"
            status.set(connected=why != "no gateway")
        with pytest.raises(DiscordAwayError):
            await desk.fire(request)
    desk.channels.current = True
    status.set(connected=True)
    assert await desk.fire(request) is AutoCloseOutcome.CLOSED
    assert await is_closed(desk, ticket)


# --- the opener wrote, and the gateway did not tell


@pytest.mark.parametrize("listens", [False, True])
async def test_what_the_opener_wrote_while_the_bot_was_down_counts(
    desk: HelpDesk, listens: bool
) -> None:
    """Also if the first heartbeat after the start has been recorded already."""
    ticket, request = await overdue(desk)
    desk.write(ticket)
    restarted = desk.restarted()
    if listens:
        await restarted.listen()
    assert await restarted.fire(request) is AutoCloseOutcome.ANSWERED
    assert (await desk.request(request.id)).status is RequestStatus.ANSWERED
    assert (await desk.ticket(ticket.id)).status is TicketStatus.OPEN
    assert desk.shown_outcomes(request) == {"answered"}
    assert desk.channels.announcements == [(ticket.id, "answered")]
    assert await desk.events(ticket) == ["opened", "close_requested", "answered"]
    assert await restarted.fire(request) is AutoCloseOutcome.ANSWERED


async def test_a_message_that_could_not_be_noted_is_read_at_the_deadline(desk: HelpDesk) -> None:
    ticket, request = await overdue(desk)
    with pytest.raises(RuntimeError), desk.lifecycle.discord_status.noting(GUILD_ID):
        desk.write(ticket)
        raise RuntimeError("PostgreSQL was away just then")
    assert await desk.fire(request) is AutoCloseOutcome.ANSWERED
    assert (await desk.request(request.id)).status is RequestStatus.ANSWERED


@pytest.mark.parametrize("recorded", [False, True])
async def test_what_one_server_missed_is_read_there_and_in_no_other(
    desk: HelpDesk, recorded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its channels may have been out of sight; elsewhere everything was heard."""
    ticket, request = await overdue(desk)
    elsewhere = await desk.run_out(await desk.ask(await desk.open(guild_id=GUILD_ID + 1)))
    read: list[int] = []

    async def nothing_written(ticket: Ticket, _: int) -> None:
        read.append(ticket.id)

    monkeypatch.setattr(desk.channels, "opener_wrote_after", nothing_written)
    desk.lifecycle.discord_status.misses.note(GUILD_ID)
    if recorded:
        await desk.listen()
    assert await desk.fire(elsewhere) is AutoCloseOutcome.CLOSED
    assert await desk.fire(request) is AutoCloseOutcome.CLOSED
    assert read == [ticket.id]


async def test_what_is_missed_while_a_channel_is_read_has_it_read_again(
    desk: HelpDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket, request = await overdue(desk)
    misses = desk.lifecycle.discord_status.misses
    misses.note(GUILD_ID)
    reads = 0

    async def read(_: Ticket, __: int) -> int | None:
        nonlocal reads
        reads += 1
        if reads > 1:
            return desk.write(ticket)
        misses.note(GUILD_ID)
        return None

    monkeypatch.setattr(desk.channels, "opener_wrote_after", read)
    with pytest.raises(DiscordAwayError):
        await desk.lifecycle.auto_close(ticket.id, request.id)
    await desk.listen()
    await desk.grow_old()
    assert await desk.fire(request) is AutoCloseOutcome.ANSWERED


async def test_what_others_wrote_or_the_opener_before_does_not_count(desk: HelpDesk) -> None:
    ticket = await desk.open()
    desk.write(ticket, OPENER_ID)
    request = await desk.ask(ticket)
    desk.write(ticket, STAFF_ID)
    desk.write(ticket, STRANGER_ID)
    assert await desk.restarted().run_out_and_fire(request) is AutoCloseOutcome.CLOSED
    assert await is_closed(desk, ticket)


async def test_what_has_been_read_once_is_not_read_again(desk: HelpDesk) -> None:
    """Many rings while it is being read ask for one reading, and who has read decides at once."""
    ticket, _ = await overdue(desk)
    restarted = desk.restarted()
    for _ in range(3):
        with pytest.raises(NotDueError):
            await restarted.fire_timer("auto-close", ticket.id)
    await restarted.deliver()
    assert desk.interruptions.calls.count("opener_wrote_after") == 1
    assert await is_closed(desk, ticket)


async def test_a_guild_that_turned_it_off_closes_unread(desk: HelpDesk) -> None:
    await desk.lifecycle.change_guild_settings(GUILD_ID, reply_keeps_open=False)
    ticket, request = await overdue(desk)
    desk.write(ticket)
    assert await desk.restarted().fire(request) is AutoCloseOutcome.CLOSED
    assert "opener_wrote_after" not in desk.interruptions.calls


async def test_if_the_history_cannot_be_read_now_it_is_tried_again(
    desk: HelpDesk, caplog: pytest.LogCaptureFixture
) -> None:
    ticket, request = await overdue(desk)
    desk.channels.failures["opener_wrote_after"] = [DiscordFailedError("503\nnot  now")]
    with pytest.raises(DiscordFailedError):
        await desk.restarted().fire(request)
    assert (await desk.request(request.id)).status is RequestStatus.PENDING
    assert f"❌ Failed to auto-close ticket {ticket.id}: 503 not now" in caplog.messages
    assert await desk.restarted().fire(request) is AutoCloseOutcome.BEING_READ
    assert not await is_closed(desk, ticket), "a ring does not hurry it"
    await desk.wait_for_retry()
    await desk.deliver()
    assert await is_closed(desk, ticket)


async def test_a_history_that_may_not_be_read_needs_attention_and_keeps_the_timer(
    desk: HelpDesk,
) -> None:
    ticket, request = await overdue(desk)
    desk.channels.failures["opener_wrote_after"] = [FORBIDDEN]
    await desk.restarted().fire(request)
    attention = {
        "code": "permission_missing",
        "permissions": ["Read Message History"],
        "place": "#ticket-0001",
    }
    assert desk.channels.attention == [(ticket.id, attention)]
    assert await desk.has_timer(request)
    await desk.lifecycle.retry_close(ticket.id)
    await desk.deliver()
    closed = await desk.ticket(ticket.id)
    assert closed.status is TicketStatus.CLOSED
    assert closed.attention is None


async def test_after_four_failures_to_read_a_person_is_asked_once_and_may_retry(
    desk: HelpDesk,
) -> None:
    ticket, request = await overdue(desk)
    desk.channels.failures["opener_wrote_after"] = [DiscordFailedError("503")] * 6
    with pytest.raises(DiscordFailedError):
        await desk.restarted().fire(request)
    for _ in range(5):
        await desk.wait_for_retry()
        await desk.deliver()
    attention = {"code": "close_keeps_failing", "error": {"code": "discord_failed", "text": "503"}}
    assert (await desk.ticket(ticket.id)).attention == attention
    assert desk.channels.attention == [(ticket.id, attention)]
    assert await desk.has_timer(request)
    await desk.lifecycle.retry_close(ticket.id)
    await desk.deliver()
    assert await is_closed(desk, ticket)


async def test_a_channel_that_is_gone_has_no_history(desk: HelpDesk) -> None:
    ticket, request = await overdue(desk)
    desk.channels.failures["opener_wrote_after"] = [ChannelGoneError("Unknown Channel")]
    await desk.restarted().fire(request)
    assert await is_closed(desk, ticket)


@pytest.mark.parametrize("how", ["deny", "withdraw", "write", "extend"])
async def test_an_answer_ends_the_call_for_a_person(desk: HelpDesk, how: str) -> None:
    ticket, request = await overdue(desk)
    desk.channels.failures["opener_wrote_after"] = [FORBIDDEN]
    await desk.restarted().fire(request)
    assert (await desk.ticket(ticket.id)).attention is not None
    match how:
        case "deny":
            await desk.lifecycle.cancel_close_request(ticket.id, OPENER_ID)
        case "withdraw":
            await desk.lifecycle.cancel_close_request(ticket.id, STAFF_ID)
        case "write":
            assert await desk.write_and_note(ticket)
        case _:
            await desk.lifecycle.ask_for_more_time(ticket.id, OPENER_ID)
    assert (await desk.ticket(ticket.id)).attention is None
    assert await desk.has_timer(request) == (how == "extend")


@pytest.mark.parametrize(
    ("faster", "outcome"),
    [
        ("exclude_from_autoclose", AutoCloseOutcome.EXCLUDED),
        ("extend_close_request", AutoCloseOutcome.NOT_DUE),
        ("withdraw_close_request", AutoCloseOutcome.NOT_PENDING),
    ],
)
async def test_who_was_faster_by_a_hair_wins_and_is_named_rightly(
    desk: HelpDesk, faster: str, outcome: AutoCloseOutcome
) -> None:
    """After the channel was read and before it is decided."""
    ticket, request = await overdue(desk)

    async def be_faster() -> None:
        await getattr(desk.lifecycle, faster)(ticket.id, STAFF_ID)

    desk.interruptions.once("opener_wrote_after", Moment.AFTER, be_faster)
    await desk.restarted().fire(request)
    assert desk.interruptions.all_happened
    assert await desk.lifecycle.why_not_expired(ticket.id, request.id) is outcome
    assert (await desk.ticket(ticket.id)).status is TicketStatus.OPEN


# --- more than one ring


@pytest.mark.parametrize("heard", [True, False])
async def test_rings_at_once_close_once(
    desk: HelpDesk, second_database: Database, heard: bool
) -> None:
    ticket, request = await overdue(desk)
    first = desk if heard else desk.restarted()
    second = desk.elsewhere(second_database)
    if heard:
        await second.listen()
        await desk.database.pool.execute("update punctual.close_requests set read_at = now()")
    outcomes = await asyncio.gather(*(process.fire(request) for process in (first, second) * 4))
    await desk.deliver()
    assert not heard or outcomes.count(AutoCloseOutcome.CLOSED) == 1
    assert set(outcomes) <= {
        AutoCloseOutcome.CLOSED,
        AutoCloseOutcome.BEING_READ,
        AutoCloseOutcome.NOT_PENDING,
        AutoCloseOutcome.ALREADY_CLOSED,
    }
    assert [ticket_id for ticket_id, _ in desk.channels.logged] == [ticket.id]
    assert desk.channels.dms == [ticket.id]
    assert desk.channels.removed == [ticket.id]
    assert desk.transcripts_of(ticket) == [str(ticket.id)]
    assert await desk.events(ticket) == ["opened", "close_requested", "expired", "closed"]


async def test_one_ring_decides_all_that_are_due(desk: HelpDesk) -> None:
    """And none that is not."""
    tickets = [(await overdue(desk))[0] if n < 4 else await desk.open(n) for n in range(44)]
    for ticket in tickets[4:]:
        await desk.run_out(await desk.ask(ticket))
    later, excluded = await desk.open(100), await desk.open(101)
    await desk.ask(later)
    await desk.run_out(await desk.ask(excluded))
    await desk.lifecycle.exclude_from_autoclose(excluded.id, STAFF_ID)
    assert await desk.fire_timer("auto-close", tickets[0].id)
    await desk.deliver()
    assert sorted(desk.channels.removed) == [ticket.id for ticket in tickets]


# --- never early


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001  # hypothesis wants it so
)
def test_a_job_is_due_at_the_deadline_or_within_the_millisecond_after(at: datetime) -> None:
    due_ms = Timer("auto-close", 1, 1, 1, at.replace(tzinfo=UTC), {}).due_ms
    exact_us = (at.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )
    assert 0 <= due_ms * 1_000 - exact_us < 1_000
