"""Accept, deny, withdraw: who may, what follows, and what the one who comes too late reads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from domains.ticket_lifecycle.channels import DiscordFailedError
from domains.ticket_lifecycle.errors import (
    NothingPendingError,
    NotTheOpenerError,
    RequestResolvedError,
    TicketNotFoundError,
    TicketNotOpenError,
)
from domains.ticket_lifecycle.models import (
    AutoCloseOutcome,
    CloseCause,
    CloseRequest,
    RequestStatus,
    TicketStatus,
)
from tests.ticket_lifecycle.helpdesk import OPENER_ID, STAFF_ID, STRANGER_ID, HelpDesk


async def test_the_opener_accepts_and_the_ticket_closes(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    await desk.lifecycle.accept_close_request(ticket.id, OPENER_ID, request.id)
    request, ticket = await desk.request(request.id), await desk.ticket(ticket.id)
    assert request.status is RequestStatus.ACCEPTED
    assert request.resolved_by_id == OPENER_ID
    assert request.resolved_at is not None
    assert ticket.status is TicketStatus.CLOSED
    assert ticket.closed_by_id == OPENER_ID
    assert ticket.close_cause is CloseCause.ACCEPTED
    assert ticket.close_reason == "Solved?"
    assert ticket.closed_at is not None
    assert desk.timers.scheduled == {}
    assert desk.shown_outcomes(request) == {"accepted"}
    assert await desk.events(ticket) == ["opened", "close_requested", "accepted", "closed"]


@pytest.mark.parametrize("user_id", [STAFF_ID, STRANGER_ID])
async def test_nobody_but_the_opener_may_accept(desk: HelpDesk, user_id: int) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    with pytest.raises(NotTheOpenerError) as error:
        await desk.lifecycle.accept_close_request(ticket.id, user_id, request.id)
    assert str(error.value) == ("Only the member who opened this ticket can accept its closing.")
    assert await desk.request(request.id) == request
    assert desk.has_timer(request)


async def test_the_opener_denies_and_the_ticket_stays_open(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    denied = await desk.lifecycle.cancel_close_request(ticket.id, OPENER_ID, request.id)
    assert denied == await desk.request(request.id)
    assert denied.status is RequestStatus.DENIED
    assert denied.resolved_by_id == OPENER_ID
    assert (await desk.ticket(ticket.id)).status is TicketStatus.OPEN
    assert desk.timers.scheduled == {}
    assert desk.shown_outcomes(request) == {"denied"}
    assert await desk.events(ticket) == ["opened", "close_requested", "denied"]


async def test_anybody_else_who_cancels_withdraws(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    withdrawn = await desk.lifecycle.cancel_close_request(ticket.id, STAFF_ID, request.id)
    assert withdrawn.status is RequestStatus.WITHDRAWN
    assert withdrawn.resolved_by_id == STAFF_ID
    assert desk.timers.scheduled == {}
    assert await desk.events(ticket) == ["opened", "close_requested", "withdrawn"]


async def test_deny_after_restart_cancels_the_timer(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    restarted = desk.restarted()
    await restarted.lifecycle.cancel_close_request(ticket.id, OPENER_ID, request.id)
    assert desk.timers.scheduled == {}
    assert (await restarted.request(request.id)).status is RequestStatus.DENIED


async def test_accept_after_restart_closes(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    await desk.restarted().lifecycle.accept_close_request(ticket.id, OPENER_ID, request.id)
    assert (await desk.ticket(ticket.id)).status is TicketStatus.CLOSED


@pytest.mark.parametrize("hours", [None, 1])
async def test_without_a_named_request_the_pending_one_is_meant(
    desk: HelpDesk, hours: float | None
) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket, hours)
    denied = await desk.lifecycle.cancel_close_request(ticket.id, OPENER_ID)
    assert denied.id == request.id


async def test_a_new_request_can_follow_a_denied_one(desk: HelpDesk) -> None:
    ticket = await desk.open()
    first = await desk.ask(ticket)
    await desk.lifecycle.cancel_close_request(ticket.id, OPENER_ID, first.id)
    second = await desk.ask(ticket)
    assert desk.has_timer(second)
    assert (await desk.request(first.id)).status is RequestStatus.DENIED


# --- too late


async def test_an_old_message_cannot_act_on_a_new_request(desk: HelpDesk) -> None:
    ticket = await desk.open()
    old, new = await desk.ask(ticket), await desk.ask(ticket)
    sentence = f"This close request was replaced by a newer one by <@{STAFF_ID}>."
    with pytest.raises(RequestResolvedError) as error:
        await desk.lifecycle.accept_close_request(ticket.id, OPENER_ID, old.id)
    assert str(error.value) == sentence
    with pytest.raises(RequestResolvedError) as error:
        await desk.lifecycle.cancel_close_request(ticket.id, OPENER_ID, old.id)
    assert str(error.value) == sentence
    assert await desk.request(new.id) == new
    assert desk.has_timer(new)


async def test_a_request_of_another_ticket_is_none_of_this_one(desk: HelpDesk) -> None:
    ticket, other = await desk.open(), await desk.open()
    await desk.ask(ticket)
    request = await desk.ask(other)
    for act in (desk.lifecycle.accept_close_request, desk.lifecycle.cancel_close_request):
        with pytest.raises(TicketNotFoundError):
            await act(ticket.id, OPENER_ID, request.id)
    assert await desk.request(request.id) == request


async def test_without_a_request_there_is_nothing_to_answer(desk: HelpDesk) -> None:
    ticket = await desk.open()
    for act in (desk.lifecycle.accept_close_request, desk.lifecycle.cancel_close_request):
        with pytest.raises(NothingPendingError) as error:
            await act(ticket.id, OPENER_ID)
        assert str(error.value) == "Nobody is asking to close this ticket at the moment."


async def test_a_ticket_that_is_not_there_cannot_be_answered(desk: HelpDesk) -> None:
    for act in (desk.lifecycle.accept_close_request, desk.lifecycle.cancel_close_request):
        with pytest.raises(TicketNotFoundError, match="This is not a ticket channel"):
            await act(999_999_999, OPENER_ID)


async def accepted(desk: HelpDesk, request: CloseRequest) -> None:
    await desk.lifecycle.accept_close_request(request.ticket_id, OPENER_ID, request.id)


async def denied(desk: HelpDesk, request: CloseRequest) -> None:
    await desk.lifecycle.cancel_close_request(request.ticket_id, OPENER_ID, request.id)


async def withdrawn(desk: HelpDesk, request: CloseRequest) -> None:
    await desk.lifecycle.cancel_close_request(request.ticket_id, STAFF_ID, request.id)


async def expired(desk: HelpDesk, request: CloseRequest) -> None:
    assert await desk.run_out_and_fire(request) is AutoCloseOutcome.CLOSED


async def closed_by_command(desk: HelpDesk, request: CloseRequest) -> None:
    await desk.lifecycle.close_ticket(request.ticket_id, STAFF_ID)


async def answered(desk: HelpDesk, request: CloseRequest) -> None:
    assert await desk.write_and_note(await desk.ticket(request.ticket_id))


@pytest.mark.parametrize(
    ("happened", "sentence"),
    [
        (accepted, "This close request was accepted already by <@10>."),
        (denied, "This close request was denied already by <@10>."),
        (withdrawn, "This close request was withdrawn by <@20>."),
        (expired, "This close request has run out and the ticket is being closed."),
        (closed_by_command, "This close request is over: the ticket was closed by <@20>."),
        (
            answered,
            "This close request was answered: the opener wrote in the ticket by <@10>.",
        ),
    ],
)
async def test_the_loser_reads_what_happened(
    desk: HelpDesk,
    happened: Callable[[HelpDesk, CloseRequest], Awaitable[None]],
    sentence: str,
) -> None:
    request = await desk.ask(await desk.open())
    await happened(desk, request)
    before = (await desk.request(request.id), await desk.ticket(request.ticket_id))
    for lose in (accepted, denied, withdrawn):
        with pytest.raises(RequestResolvedError) as error:
            await lose(desk, request)
        assert str(error.value) == sentence
    assert (await desk.request(request.id), await desk.ticket(request.ticket_id)) == before
    assert desk.timers.scheduled == {}


@pytest.mark.parametrize(
    ("happened", "sentence"),
    [
        (accepted, "This ticket is closed already by <@10>."),
        (expired, "This ticket is closed already."),
        (closed_by_command, "This ticket is closed already by <@20>."),
    ],
)
async def test_who_closes_a_closed_ticket_reads_who_was_faster(
    desk: HelpDesk,
    happened: Callable[[HelpDesk, CloseRequest], Awaitable[None]],
    sentence: str,
) -> None:
    request = await desk.ask(await desk.open())
    await happened(desk, request)
    with pytest.raises(TicketNotOpenError) as error:
        await desk.lifecycle.close_ticket(request.ticket_id, STRANGER_ID)
    assert str(error.value) == sentence


async def test_a_message_that_cannot_be_edited_undoes_nothing(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    desk.channels.failures["show_outcome"] = [DiscordFailedError("500")]
    await desk.lifecycle.cancel_close_request(ticket.id, OPENER_ID, request.id)
    assert (await desk.request(request.id)).status is RequestStatus.DENIED
