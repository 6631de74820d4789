"""`/autoclose exclude` and `include`: the timer off, and on again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domains.ticket_lifecycle import LifecyclePolicy
from domains.ticket_lifecycle.channels import DiscordFailedError
from domains.ticket_lifecycle.errors import (
    AlreadyExcludedError,
    NotExcludedError,
    TicketNotFoundError,
    TicketNotOpenError,
)
from domains.ticket_lifecycle.models import AutoCloseOutcome, RequestStatus, TicketStatus
from tests.ticket_lifecycle.helpdesk import OPENER_ID, STAFF_ID, HelpDesk


async def test_excluding_removes_the_timer_and_keeps_the_request(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    switched_off = await desk.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
    assert switched_off == request
    assert (await desk.ticket(ticket.id)).exclude_from_autoclose
    assert await desk.deadlines() == []
    assert await desk.request(request.id) == request
    assert desk.channels.deadlines == [request.id], "its message says so"
    assert await desk.events(ticket) == ["opened", "close_requested", "excluded"]


async def test_including_again_restores_the_timer(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    await desk.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
    restored = await desk.restarted().lifecycle.include_in_autoclose(ticket.id, STAFF_ID)
    assert restored == request
    assert not (await desk.ticket(ticket.id)).exclude_from_autoclose
    assert await desk.has_timer(request)
    assert desk.channels.deadlines == [request.id, request.id]
    assert (await desk.events(ticket))[-1] == "included"


async def test_a_deadline_that_passed_meanwhile_is_moved(desk: HelpDesk) -> None:
    """Nobody loses a ticket the moment it is included again."""
    desk = desk.restarted(LifecyclePolicy(min_close_delay=timedelta(minutes=5)))
    ticket = await desk.open()
    request = await desk.ask(ticket)
    await desk.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
    await desk.run_out(request)
    moved = await desk.lifecycle.include_in_autoclose(ticket.id, STAFF_ID)
    assert moved is not None
    assert timedelta(minutes=4) < await desk.time_left(request) <= timedelta(minutes=5)
    assert await desk.deadlines() == [moved.auto_close_at]
    assert desk.channels.shown_deadlines[request.id] == moved.auto_close_at
    assert await desk.fire(moved) is AutoCloseOutcome.NOT_DUE


async def test_a_deadline_that_is_far_enough_away_stays(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket, hours=1)
    await desk.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
    included = await desk.lifecycle.include_in_autoclose(ticket.id, STAFF_ID)
    assert included is not None
    assert included.auto_close_at == request.auto_close_at


async def test_a_request_made_while_excluded_gets_its_timer_when_included(desk: HelpDesk) -> None:
    ticket = await desk.open()
    await desk.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
    request = await desk.ask(ticket)
    assert await desk.deadlines() == []
    await desk.lifecycle.include_in_autoclose(ticket.id, STAFF_ID)
    assert await desk.has_timer(request)


async def test_a_request_that_is_over_is_not_restored(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    await desk.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
    await desk.lifecycle.cancel_close_request(ticket.id, OPENER_ID, request.id)
    assert await desk.lifecycle.include_in_autoclose(ticket.id, STAFF_ID) is None
    assert await desk.deadlines() == []


@pytest.mark.parametrize("asked", [False, True])
async def test_without_a_timer_there_is_nothing_to_remove_or_restore(
    desk: HelpDesk, asked: bool
) -> None:
    ticket = await desk.open()
    if asked:
        await desk.ask(ticket, hours=None)
    assert await desk.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID) is None
    assert await desk.lifecycle.include_in_autoclose(ticket.id, STAFF_ID) is None
    assert await desk.deadlines() == []
    assert desk.channels.deadlines == []


async def test_excluding_one_ticket_leaves_the_timers_of_others(desk: HelpDesk) -> None:
    ticket, other_ticket = await desk.open(), await desk.open()
    await desk.ask(ticket)
    other = await desk.ask(other_ticket)
    await desk.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
    assert await desk.has_timer(other)
    assert not (await desk.ticket(other_ticket.id)).exclude_from_autoclose


async def test_an_excluded_ticket_can_still_be_accepted(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    await desk.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
    await desk.lifecycle.accept_close_request(ticket.id, OPENER_ID, request.id)
    assert (await desk.ticket(ticket.id)).status is TicketStatus.CLOSED


async def test_what_is_so_already_is_said(desk: HelpDesk) -> None:
    ticket = await desk.open()
    with pytest.raises(NotExcludedError) as not_excluded:
        await desk.lifecycle.include_in_autoclose(ticket.id, STAFF_ID)
    assert str(not_excluded.value) == "This ticket isn't excluded from auto-close."
    await desk.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
    with pytest.raises(AlreadyExcludedError) as excluded:
        await desk.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
    assert str(excluded.value) == "This ticket is already excluded from auto-close."
    assert await desk.events(ticket) == ["opened", "excluded"]


async def test_a_ticket_that_is_not_there_or_not_open_has_no_timer_to_switch(
    desk: HelpDesk,
) -> None:
    ticket = await desk.open()
    await desk.lifecycle.close_ticket(ticket.id, STAFF_ID)
    for switch in (desk.lifecycle.exclude_from_autoclose, desk.lifecycle.include_in_autoclose):
        with pytest.raises(TicketNotOpenError, match="already closed this ticket"):
            await switch(ticket.id, STAFF_ID)
        with pytest.raises(TicketNotFoundError):
            await switch(999_999_999, STAFF_ID)


async def test_a_message_that_cannot_be_edited_undoes_nothing(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    desk.channels.failures["show_deadline"] = [DiscordFailedError("500")] * 3
    await desk.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
    assert await desk.deadlines() == []
    await desk.lifecycle.include_in_autoclose(ticket.id, STAFF_ID)
    assert await desk.has_timer(request)
    assert (await desk.request(request.id)).status is RequestStatus.PENDING
