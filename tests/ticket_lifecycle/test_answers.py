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


async def accept(desk: HelpDesk, request: CloseRequest) -> None:
    await desk.lifecycle.accept_close_request(request.ticket_id, OPENER_ID, request.id)
    await desk.deliver()


async def deny(desk: HelpDesk, request: CloseRequest) -> None:
    await desk.lifecycle.cancel_close_request(request.ticket_id, OPENER_ID, request.id)
    await desk.deliver()


async def withdraw(desk: HelpDesk, request: CloseRequest) -> None:
    await desk.lifecycle.cancel_close_request(request.ticket_id, STAFF_ID, request.id)
    await desk.deliver()


async def expire(desk: HelpDesk, request: CloseRequest) -> None:
    assert await desk.run_out_and_fire(request) is AutoCloseOutcome.CLOSED


async def close_by_command(desk: HelpDesk, request: CloseRequest) -> None:
    await desk.close(await desk.ticket(request.ticket_id))


async def reply(desk: HelpDesk, request: CloseRequest) -> None:
    assert await desk.write_and_note(await desk.ticket(request.ticket_id))
    await desk.deliver()


async def test_the_opener_accepts_and_the_ticket_closes(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    await accept(desk.restarted(), request)
    request, ticket = await desk.request(request.id), await desk.ticket(ticket.id)
    assert request.status is RequestStatus.ACCEPTED
    assert request.resolved_by_id == OPENER_ID
    assert request.resolved_at is not None
    assert ticket.status is TicketStatus.CLOSED
    assert ticket.closed_by_id == OPENER_ID
    assert ticket.close_cause is CloseCause.ACCEPTED
    assert ticket.close_reason == "Solved?"
    assert ticket.closed_at is not None
    assert await desk.deadlines() == []
    assert desk.shown_outcomes(request) == {"accepted"}
    assert await desk.events(ticket) == [
        "opened",
        "close_requested",
        "accepted",
        "closing",
        "closed",
    ]


@pytest.mark.parametrize("user_id", [STAFF_ID, STRANGER_ID])
async def test_nobody_but_the_opener_may_accept(desk: HelpDesk, user_id: int) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    with pytest.raises(NotTheOpenerError) as error:
        await desk.lifecycle.accept_close_request(ticket.id, user_id, request.id)
    assert (
        str(error.value)
        == "Only the member who opened this ticket can accept. If you're support, use `/close`."
    )
    assert await desk.request(request.id) == request
    assert await desk.has_timer(request)
    assert await desk.pending_effects(ticket) == []


@pytest.mark.parametrize(("act", "user_id"), [(deny, OPENER_ID), (withdraw, STAFF_ID)])
async def test_who_cancels_after_a_restart_ends_the_request_and_the_ticket_stays_open(
    desk: HelpDesk, act: Callable[[HelpDesk, CloseRequest], Awaitable[None]], user_id: int
) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    await act(desk.restarted(), request)
    request = await desk.request(request.id)
    status = "denied" if user_id == OPENER_ID else "withdrawn"
    assert request.status == RequestStatus(status)
    assert request.resolved_by_id == user_id
    assert (await desk.ticket(ticket.id)).status is TicketStatus.OPEN
    assert await desk.deadlines() == []
    assert desk.shown_outcomes(request) == {status}
    assert await desk.events(ticket) == ["opened", "close_requested", status]


@pytest.mark.parametrize("hours", [None, 1])
async def test_without_a_named_request_the_pending_one_is_meant(
    desk: HelpDesk, hours: float | None
) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket, hours)
    denied = await desk.lifecycle.cancel_close_request(ticket.id, OPENER_ID)
    assert denied == await desk.request(request.id)


async def test_a_new_request_can_follow_a_denied_one(desk: HelpDesk) -> None:
    ticket = await desk.open()
    first = await desk.ask(ticket)
    await deny(desk, first)
    second = await desk.ask(ticket)
    assert await desk.has_timer(second)
    assert (await desk.request(first.id)).status is RequestStatus.DENIED


# --- too late


async def test_an_old_message_cannot_act_on_a_new_request(desk: HelpDesk) -> None:
    ticket = await desk.open()
    old, new = await desk.ask(ticket), await desk.ask(ticket)
    for act in (accept, deny):
        with pytest.raises(RequestResolvedError) as error:
            await act(desk, old)
        assert str(error.value) == ("There's a newer close request. Answer that one.")
    assert await desk.request(new.id) == new
    assert await desk.has_timer(new)


async def test_a_request_of_another_ticket_is_none_of_this_one(desk: HelpDesk) -> None:
    ticket, other = await desk.open(), await desk.open()
    await desk.ask(ticket)
    request = await desk.ask(other)
    for act in (desk.lifecycle.accept_close_request, desk.lifecycle.cancel_close_request):
        with pytest.raises(TicketNotFoundError):
            await act(ticket.id, OPENER_ID, request.id)
    assert await desk.request(request.id) == request


async def test_without_a_request_or_a_ticket_there_is_nothing_to_answer(desk: HelpDesk) -> None:
    ticket = await desk.open()
    for act in (desk.lifecycle.accept_close_request, desk.lifecycle.cancel_close_request):
        with pytest.raises(NothingPendingError) as error:
            await act(ticket.id, OPENER_ID)
        assert str(error.value) == "Nobody is asking to close this ticket right now."
        with pytest.raises(TicketNotFoundError, match="This isn't a ticket channel"):
            await act(999_999_999, OPENER_ID)


@pytest.mark.parametrize(
    ("happen", "sentence"),
    [
        (accept, "<@10> has already accepted this close request."),
        (deny, "<@10> has already denied this close request."),
        (withdraw, "<@20> has withdrawn this close request."),
        (expire, "This close request ran out, and the ticket is being closed."),
        (close_by_command, "This close request is over: <@20> closed the ticket."),
        (reply, "This close request is over: the member wrote in the ticket."),
    ],
)
async def test_the_loser_reads_what_happened(
    desk: HelpDesk,
    happen: Callable[[HelpDesk, CloseRequest], Awaitable[None]],
    sentence: str,
) -> None:
    request = await desk.ask(await desk.open())
    await happen(desk, request)
    before = (await desk.request(request.id), await desk.ticket(request.ticket_id))
    for lose in (accept, deny, withdraw):
        with pytest.raises(RequestResolvedError) as error:
            await lose(desk, request)
        assert str(error.value) == sentence
    assert (await desk.request(request.id), await desk.ticket(request.ticket_id)) == before
    assert await desk.deadlines() == []


@pytest.mark.parametrize(
    ("happen", "sentence"),
    [
        (accept, "<@10> has already closed this ticket."),
        (expire, "This ticket is already closed."),
        (close_by_command, "<@20> has already closed this ticket."),
    ],
)
async def test_who_closes_a_closed_ticket_reads_who_was_faster(
    desk: HelpDesk,
    happen: Callable[[HelpDesk, CloseRequest], Awaitable[None]],
    sentence: str,
) -> None:
    request = await desk.ask(await desk.open())
    await happen(desk, request)
    with pytest.raises(TicketNotOpenError) as error:
        await desk.lifecycle.close_ticket(request.ticket_id, STRANGER_ID)
    assert str(error.value) == sentence


async def test_a_message_that_cannot_be_edited_undoes_nothing_and_is_edited_later(
    desk: HelpDesk,
) -> None:
    request = await desk.ask(await desk.open())
    desk.channels.failures["show_outcome"] = [DiscordFailedError("500")]
    await deny(desk, request)
    assert (await desk.request(request.id)).status is RequestStatus.DENIED
    assert desk.shown_outcomes(request) == set()
    await desk.wait_for_retry()
    await desk.deliver()
    assert desk.shown_outcomes(request) == {"denied"}


async def test_what_could_not_be_edited_holds_up_neither_a_new_question_nor_a_close(
    desk: HelpDesk,
) -> None:
    """It is to be tried again a minute later, and the member is asked now."""
    ticket = await desk.open()
    first = await desk.ask(ticket)
    desk.channels.failures["show_outcome"] = [DiscordFailedError("500")] * 3
    await deny(desk, first)
    second = await desk.ask(ticket)
    assert second.is_asked
    await deny(desk, second)
    assert (await desk.close(ticket)).status is TicketStatus.CLOSED
