"""The timer is there for openers who stay silent: what they write switches it off."""

from __future__ import annotations

import pytest

from domains.ticket_lifecycle.channels import ChannelGoneError
from domains.ticket_lifecycle.models import RequestStatus, TicketStatus
from tests.ticket_lifecycle.helpdesk import (
    GUILD_ID,
    OPENER_ID,
    STAFF_ID,
    STRANGER_ID,
    HelpDesk,
)


async def test_a_reply_answers_a_timed_request_and_the_channel_is_told(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    assert await desk.write_and_note(ticket)
    request = await desk.request(request.id)
    assert request.status is RequestStatus.ANSWERED
    assert request.resolved_by_id == OPENER_ID
    assert (await desk.ticket(ticket.id)).status is TicketStatus.OPEN
    assert await desk.deadlines() == []
    assert desk.shown_outcomes(request) == {"answered"}
    assert desk.channels.announcements == [(ticket.id, "answered")]
    assert await desk.events(ticket) == ["opened", "close_requested", "answered"]


async def test_a_second_reply_changes_nothing(desk: HelpDesk) -> None:
    ticket = await desk.open()
    await desk.ask(ticket)
    assert await desk.write_and_note(ticket)
    assert not await desk.write_and_note(ticket)
    assert len(desk.channels.announcements) == 1


async def test_a_reply_leaves_an_untimed_request_pending(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket, hours=None)
    assert not await desk.write_and_note(ticket)
    assert await desk.request(request.id) == request
    assert desk.channels.announcements == []


@pytest.mark.parametrize("author_id", [STAFF_ID, STRANGER_ID])
async def test_what_others_write_does_not_count(desk: HelpDesk, author_id: int) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    assert not await desk.write_and_note(ticket, author_id)
    assert await desk.request(request.id) == request
    assert await desk.has_timer(request)


async def test_a_message_older_than_the_request_is_no_reply(desk: HelpDesk) -> None:
    """The gateway may tell late; ids, not clocks, say what came first."""
    ticket = await desk.open()
    assert ticket.channel_id is not None
    written = desk.write(ticket)
    request = await desk.ask(ticket)
    assert request.message_id is not None
    for message_id in (written, request.message_id):
        assert not await desk.lifecycle.note_opener_reply(
            GUILD_ID, ticket.channel_id, OPENER_ID, message_id
        )
    assert await desk.request(request.id) == request
    assert await desk.has_timer(request)


async def test_a_guild_can_turn_it_off(desk: HelpDesk) -> None:
    await desk.lifecycle.change_guild_settings(GUILD_ID, reply_keeps_open=False)
    ticket = await desk.open()
    request = await desk.ask(ticket)
    assert not await desk.write_and_note(ticket)
    assert await desk.request(request.id) == request
    assert await desk.has_timer(request)
    assert desk.channels.announcements == []


async def test_another_guilds_choice_does_not_matter(desk: HelpDesk) -> None:
    await desk.lifecycle.change_guild_settings(2, reply_keeps_open=False)
    ticket = await desk.open()
    await desk.ask(ticket)
    assert await desk.write_and_note(ticket)


async def test_a_message_elsewhere_is_no_reply(desk: HelpDesk) -> None:
    ticket, other = await desk.open(), await desk.open(opener_id=STRANGER_ID)
    request = await desk.ask(ticket)
    assert ticket.channel_id is not None
    message_id = desk.write(other, OPENER_ID)
    elsewhere = [(GUILD_ID, other.channel_id or 0), (2, ticket.channel_id), (GUILD_ID, 5)]
    for guild_id, channel_id in elsewhere:
        assert not await desk.lifecycle.note_opener_reply(
            guild_id, channel_id, OPENER_ID, message_id
        )
    assert await desk.request(request.id) == request


async def test_without_a_request_a_message_is_just_a_message(desk: HelpDesk) -> None:
    ticket = await desk.open()
    assert not await desk.write_and_note(ticket)
    assert await desk.events(ticket) == ["opened"]


async def test_a_reply_counts_for_an_excluded_ticket_too(desk: HelpDesk) -> None:
    """Or including it again would restore a timer that the opener has answered."""
    ticket = await desk.open()
    await desk.ask(ticket)
    await desk.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
    assert await desk.write_and_note(ticket)
    assert await desk.lifecycle.include_in_autoclose(ticket.id, STAFF_ID) is None
    assert await desk.deadlines() == []


async def test_a_reply_counts_even_if_the_channel_cannot_be_told(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    desk.channels.failures["announce"] = [ChannelGoneError("Unknown Channel")]
    desk.channels.failures["show_outcome"] = [ChannelGoneError("Unknown Channel")]
    assert await desk.write_and_note(ticket)
    assert (await desk.request(request.id)).status is RequestStatus.ANSWERED
