"""A timer that rings: every answer it can get, and that any number of rings close once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.database import Database
from domains.ticket_lifecycle.channels import (
    ChannelGoneError,
    DiscordFailedError,
    PermissionMissingError,
)
from domains.ticket_lifecycle.models import (
    AutoCloseOutcome,
    CloseCause,
    CloseTimer,
    GuildSettings,
    RequestStatus,
    TicketStatus,
)
from tests.ticket_lifecycle.helpdesk import GUILD_ID, OPENER_ID, STAFF_ID, STRANGER_ID, HelpDesk
from tests.ticket_lifecycle.interruptions import Killed, Moment


async def test_a_ticket_whose_time_is_up_is_closed(desk: HelpDesk) -> None:
    request = await desk.ask(await desk.open())
    assert await desk.run_out_and_fire(request) is AutoCloseOutcome.CLOSED
    request, ticket = await desk.request(request.id), await desk.ticket(request.ticket_id)
    assert request.status is RequestStatus.EXPIRED
    assert request.resolved_by_id is None
    assert request.resolved_at is not None
    assert ticket.status is TicketStatus.CLOSED
    assert ticket.close_cause is CloseCause.EXPIRED
    assert ticket.closed_by_id is None
    assert ticket.close_reason == "Solved?"
    assert desk.shown_outcomes(request) == {"expired"}
    assert await desk.events(ticket) == ["opened", "close_requested", "expired", "closed"]


async def test_the_events_tell_how_late_it_was(desk: HelpDesk) -> None:
    request = await desk.run_out(await desk.ask(await desk.open()))
    await desk.database.pool.execute(
        "update punctual.close_requests set auto_close_at = now() - interval '90 seconds'"
    )
    assert await desk.fire(request) is AutoCloseOutcome.CLOSED
    late = {event.event: event.late_ms for event in await desk.lifecycle.events(request.ticket_id)}
    assert late.pop("expired") in range(90_000, 150_000)
    assert set(late.values()) == {None}


async def test_a_closed_ticket_stays_as_it_is(desk: HelpDesk) -> None:
    request = await desk.ask(await desk.open())
    await desk.run_out_and_fire(request)
    before = await desk.ticket(request.ticket_id)
    assert await desk.fire(request) is AutoCloseOutcome.ALREADY_CLOSED
    assert await desk.ticket(request.ticket_id) == before
    assert desk.channels.logged == [(request.ticket_id, desk.channels.logged[0][1])]


async def test_a_timer_that_rings_early_is_sent_away(desk: HelpDesk) -> None:
    request = await desk.ask(await desk.open(), hours=1)
    assert await desk.fire(request) is AutoCloseOutcome.NOT_DUE
    assert await desk.request(request.id) == request


async def test_a_request_without_a_deadline_is_never_due(desk: HelpDesk) -> None:
    request = await desk.ask(await desk.open(), hours=None)
    assert await desk.fire(request) is AutoCloseOutcome.NOT_DUE


async def test_a_request_that_is_over_does_not_close(desk: HelpDesk) -> None:
    request = await desk.run_out(await desk.ask(await desk.open()))
    await desk.lifecycle.cancel_close_request(request.ticket_id, OPENER_ID)
    assert await desk.fire(request) is AutoCloseOutcome.NOT_PENDING
    assert (await desk.ticket(request.ticket_id)).status is TicketStatus.OPEN


async def test_the_job_of_a_replaced_request_does_not_close(desk: HelpDesk) -> None:
    ticket = await desk.open()
    first = await desk.run_out(await desk.ask(ticket))
    second = await desk.run_out(await desk.ask(ticket))
    assert await desk.fire(first) is AutoCloseOutcome.NOT_PENDING
    assert (await desk.request(second.id)).status is RequestStatus.PENDING


async def test_an_excluded_ticket_does_not_close(desk: HelpDesk) -> None:
    request = await desk.run_out(await desk.ask(await desk.open()))
    await desk.lifecycle.exclude_from_autoclose(request.ticket_id, STAFF_ID)
    assert await desk.fire(request) is AutoCloseOutcome.EXCLUDED
    assert (await desk.request(request.id)).status is RequestStatus.PENDING


async def test_what_is_not_there_is_gone(desk: HelpDesk) -> None:
    ticket, other = await desk.open(), await desk.open()
    request = await desk.run_out(await desk.ask(other))
    auto_close = desk.lifecycle.auto_close
    assert await auto_close(999_999_999, request.id) is AutoCloseOutcome.GONE
    assert await auto_close(ticket.id, 999_999_999) is AutoCloseOutcome.GONE
    assert await auto_close(ticket.id, request.id) is AutoCloseOutcome.GONE, "another's request"
    assert await auto_close(ticket.id) is AutoCloseOutcome.GONE, "nobody asks"
    assert (await desk.request(request.id)).status is RequestStatus.PENDING


async def test_a_close_that_somebody_is_at_is_left_to_them(
    desk: HelpDesk, second_database: Database
) -> None:
    request = await desk.run_out(await desk.ask(await desk.open()))
    async with second_database.exclusive(f"close ticket {request.ticket_id}") as held:
        assert held
        assert await desk.fire(request) is AutoCloseOutcome.BEING_CLOSED
    assert await desk.fire(request) is AutoCloseOutcome.CLOSED


async def test_without_a_named_request_the_pending_one_is_meant(desk: HelpDesk) -> None:
    request = await desk.run_out(await desk.ask(await desk.open()))
    assert await desk.lifecycle.auto_close(request.ticket_id) is AutoCloseOutcome.CLOSED
    outcome = await desk.lifecycle.auto_close(request.ticket_id)
    assert outcome is AutoCloseOutcome.ALREADY_CLOSED


async def test_without_a_named_request_a_half_done_close_goes_on(desk: HelpDesk) -> None:
    """The job of a payload without it fails in the middle, and its next attempt comes."""
    request = await desk.run_out(await desk.ask(await desk.open()))
    desk.channels.failures["log_close"] = [DiscordFailedError("500")]
    with pytest.raises(DiscordFailedError):
        await desk.lifecycle.auto_close(request.ticket_id)
    assert await desk.lifecycle.auto_close(request.ticket_id) is AutoCloseOutcome.CLOSED


# --- the opener wrote, and the gateway did not tell


async def test_what_the_opener_wrote_while_the_bot_was_down_counts(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    desk.write(ticket)
    assert await desk.restarted().run_out_and_fire(request) is AutoCloseOutcome.ANSWERED
    assert (await desk.request(request.id)).status is RequestStatus.ANSWERED
    assert (await desk.ticket(ticket.id)).status is TicketStatus.OPEN
    assert desk.shown_outcomes(request) == {"answered"}
    assert len(desk.channels.announcements) == 1
    assert await desk.events(ticket) == ["opened", "close_requested", "answered"]


async def test_what_others_wrote_or_the_opener_before_does_not_count(desk: HelpDesk) -> None:
    ticket = await desk.open()
    desk.write(ticket, OPENER_ID)
    request = await desk.ask(ticket)
    desk.write(ticket, STAFF_ID)
    desk.write(ticket, STRANGER_ID)
    assert await desk.run_out_and_fire(request) is AutoCloseOutcome.CLOSED


async def test_a_guild_that_turned_it_off_closes_all_the_same(desk: HelpDesk) -> None:
    await desk.lifecycle.save_guild_settings(GuildSettings(GUILD_ID, reply_keeps_open=False))
    ticket = await desk.open()
    request = await desk.ask(ticket)
    desk.write(ticket)
    assert await desk.run_out_and_fire(request) is AutoCloseOutcome.CLOSED


async def test_if_the_history_cannot_be_read_now_it_is_tried_again(desk: HelpDesk) -> None:
    request = await desk.run_out(await desk.ask(await desk.open()))
    desk.channels.failures["opener_wrote_after"] = [DiscordFailedError("503")]
    with pytest.raises(DiscordFailedError):
        await desk.fire(request)
    assert (await desk.request(request.id)).status is RequestStatus.PENDING
    assert await desk.fire(request) is AutoCloseOutcome.CLOSED


async def test_a_history_that_may_not_be_read_needs_attention_and_keeps_the_timer(
    desk: HelpDesk,
) -> None:
    request = await desk.run_out(await desk.ask(await desk.open()))
    why = "the bot lacks the permission Read Message History in #ticket-0001"
    desk.channels.failures["opener_wrote_after"] = [PermissionMissingError(why)]
    assert await desk.fire(request) is AutoCloseOutcome.NEEDS_ATTENTION
    assert desk.channels.attention == [(request.ticket_id, why)]
    assert (await desk.request(request.id)).status is RequestStatus.PENDING
    assert await desk.lifecycle.retry_close(request.ticket_id) is AutoCloseOutcome.CLOSED
    assert (await desk.ticket(request.ticket_id)).attention is None


async def test_a_channel_that_is_gone_has_no_history(desk: HelpDesk) -> None:
    request = await desk.run_out(await desk.ask(await desk.open()))
    desk.channels.failures["opener_wrote_after"] = [ChannelGoneError("Unknown Channel")]
    assert await desk.fire(request) is AutoCloseOutcome.CLOSED


# --- more than one ring


async def test_rings_at_once_close_once(desk: HelpDesk, second_database: Database) -> None:
    ticket = await desk.open()
    request = await desk.run_out(await desk.ask(ticket))
    other = desk.elsewhere(second_database)
    outcomes = await asyncio.gather(*(process.fire(request) for process in (desk, other) * 4))
    assert AutoCloseOutcome.CLOSED in outcomes
    assert set(outcomes) <= {
        AutoCloseOutcome.CLOSED,
        AutoCloseOutcome.BEING_CLOSED,
        AutoCloseOutcome.ALREADY_CLOSED,
    }
    assert outcomes.count(AutoCloseOutcome.CLOSED) == 1
    assert [ticket_id for ticket_id, _ in desk.channels.logged] == [ticket.id]
    assert desk.channels.dms == [ticket.id]
    assert desk.channels.removed == [ticket.id]
    assert desk.transcripts_of(ticket) == [str(ticket.id)]
    assert await desk.events(ticket) == ["opened", "close_requested", "expired", "closed"]


async def test_forty_tickets_at_once_all_close(desk: HelpDesk) -> None:
    tickets = [await desk.open(opener_id=100 + n) for n in range(40)]
    requests = [await desk.run_out(await desk.ask(ticket)) for ticket in tickets]
    outcomes = await asyncio.gather(*(desk.fire(request) for request in requests))
    assert set(outcomes) == {AutoCloseOutcome.CLOSED}
    assert sorted(desk.channels.removed) == [ticket.id for ticket in tickets]


@pytest.mark.parametrize(
    ("faster", "outcome"),
    [
        ("exclude_from_autoclose", AutoCloseOutcome.EXCLUDED),
        ("extend_close_request", AutoCloseOutcome.NOT_DUE),
        ("withdraw_close_request", AutoCloseOutcome.NOT_PENDING),
    ],
)
async def test_who_was_faster_by_a_hair_is_named_rightly(
    desk: HelpDesk, faster: str, outcome: AutoCloseOutcome
) -> None:
    """After the timer looked and before it decides."""
    request = await desk.run_out(await desk.ask(await desk.open()))

    async def be_faster() -> None:
        await getattr(desk.lifecycle, faster)(request.ticket_id, STAFF_ID)

    desk.interruptions.once("opener_wrote_after", Moment.AFTER, be_faster)
    assert await desk.fire(request) is outcome
    assert (await desk.ticket(request.ticket_id)).status is TicketStatus.OPEN


# --- a close that is half done


async def test_the_expired_request_of_a_closing_ticket_is_taken_up(desk: HelpDesk) -> None:
    request = await desk.run_out(await desk.ask(await desk.open()))
    desk.interruptions.kill("log_close", Moment.BEFORE)
    with pytest.raises(Killed):
        await desk.fire(request)
    assert (await desk.ticket(request.ticket_id)).status is TicketStatus.CLOSING
    assert await desk.restarted().fire(request) is AutoCloseOutcome.CLOSED
    assert desk.interruptions.calls.count("save") == 1
    assert len(desk.channels.logged) == len(desk.channels.dms) == 1


async def test_a_close_that_needs_attention_is_left_to_a_person(desk: HelpDesk) -> None:
    request = await desk.run_out(await desk.ask(await desk.open()))
    why = "the bot lacks the permission Manage Channels in #ticket-0001"
    desk.channels.failures["remove"] = [PermissionMissingError(why)]
    assert await desk.fire(request) is AutoCloseOutcome.NEEDS_ATTENTION
    calls = list(desk.interruptions.calls)
    assert await desk.fire(request) is AutoCloseOutcome.NEEDS_ATTENTION
    assert desk.interruptions.calls == calls
    assert (await desk.ticket(request.ticket_id)).attention == why


@pytest.mark.parametrize("how", ["deny", "withdraw", "write", "extend"])
async def test_an_answer_ends_the_call_for_a_person(desk: HelpDesk, how: str) -> None:
    """Else the ticket would have no timer any more."""
    request = await desk.run_out(await desk.ask(ticket := await desk.open()))
    desk.channels.failures["opener_wrote_after"] = [PermissionMissingError("no permission")]
    assert await desk.fire(request) is AutoCloseOutcome.NEEDS_ATTENTION
    match how:
        case "deny":
            await desk.lifecycle.cancel_close_request(ticket.id, OPENER_ID)
        case "withdraw":
            await desk.lifecycle.cancel_close_request(ticket.id, STAFF_ID)
        case "write":
            assert await desk.write_and_note(ticket)
        case _:
            await desk.lifecycle.ask_for_more_time(ticket.id, OPENER_ID)
            assert len(await desk.lifecycle.timers_after(0, 10)) == 1
    assert (await desk.ticket(ticket.id)).attention is None


async def test_the_job_of_a_request_that_was_accepted_does_not_go_on_with_that_close(
    desk: HelpDesk,
) -> None:
    request = await desk.run_out(await desk.ask(await desk.open()))
    desk.interruptions.kill("save", Moment.BEFORE)
    with pytest.raises(Killed):
        await desk.lifecycle.accept_close_request(request.ticket_id, OPENER_ID)
    assert await desk.fire(request) is AutoCloseOutcome.NOT_PENDING
    assert (await desk.ticket(request.ticket_id)).status is TicketStatus.CLOSING


async def test_a_job_that_gave_up_asks_for_a_person_and_keeps_the_request(desk: HelpDesk) -> None:
    request = await desk.run_out(await desk.ask(await desk.open()))
    await desk.lifecycle.give_up_auto_close(request.ticket_id, "Discord did not answer")
    await desk.lifecycle.give_up_auto_close(request.ticket_id, "Discord did not answer")
    ticket = await desk.ticket(request.ticket_id)
    assert ticket.attention is not None
    assert "Discord did not answer" in ticket.attention
    assert desk.channels.attention == [(ticket.id, ticket.attention)], "it is said once"
    assert (await desk.request(request.id)).status is RequestStatus.PENDING
    assert await desk.lifecycle.overdue_timers(timedelta(), 10) == [], "a person's turn now"
    assert await desk.lifecycle.retry_close(ticket.id) is AutoCloseOutcome.CLOSED


# --- never early


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001  # hypothesis wants it so
)
def test_a_job_is_due_at_the_deadline_or_within_the_millisecond_after(at: datetime) -> None:
    due_ms = CloseTimer(1, 1, at.replace(tzinfo=UTC)).due_ms
    exact_us = (at.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )
    assert 0 <= due_ms * 1_000 - exact_us < 1_000
