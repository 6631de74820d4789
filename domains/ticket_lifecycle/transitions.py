"""What the use cases have in common: finding the ticket, ending a request, beginning a close.

Each transition is one transaction: lock the ticket, one conditional update that decides, an event,
and the effects that Discord is to be told afterwards. Touching the ticket has its timers follow.
"""

from __future__ import annotations

from collections.abc import Sequence

from domains.database import Transaction
from domains.effects import store as effects
from domains.ticket_lifecycle.effect_kinds import (
    CLOSE_STEPS,
    MOOT_IN_A_CLOSING_TICKET,
    EffectKind,
    story,
)
from domains.ticket_lifecycle.errors import (
    NothingPendingError,
    RequestResolvedError,
    TicketNotFoundError,
    TicketNotOpenError,
)
from domains.ticket_lifecycle.models import (
    CloseCause,
    CloseRequest,
    RequestStatus,
    Ticket,
    TicketStatus,
)
from domains.ticket_lifecycle.store import events, requests, tickets

TICKET = "ticket"
"""The owner of a ticket's timers, as `Transaction.touch` has it."""


_ANNOUNCED = {
    RequestStatus.DENIED: EffectKind.ANNOUNCE_DENIAL,
    RequestStatus.WITHDRAWN: EffectKind.ANNOUNCE_DENIAL,
    RequestStatus.ANSWERED: EffectKind.ANNOUNCE_ANSWER,
}
"""What is said besides, to who asked."""


async def lock_open_ticket(
    transaction: Transaction, ticket_id: int, close_request_id: int | None = None
) -> Ticket:
    """Raises what the user should read if the ticket is not there or not open; about a request
    that was named, if one was."""
    ticket = await tickets.lock(transaction.connection, ticket_id)
    if ticket is None:
        raise TicketNotFoundError
    if ticket.status is not TicketStatus.OPEN:
        if close_request_id is not None:
            raise await why_not_pending(transaction, ticket_id, close_request_id)
        raise TicketNotOpenError(ticket)
    transaction.touch(TICKET, ticket_id)
    return ticket


async def answer_request(
    transaction: Transaction,
    ticket_id: int,
    status: RequestStatus,
    user_id: int,
    close_request_id: int | None,
) -> CloseRequest | None:
    """Somebody has answered it. None if there is none to end."""
    connection = transaction.connection
    request = await requests.resolve(connection, ticket_id, status, user_id, close_request_id)
    if request is not None:
        await tickets.clear_attention(connection, ticket_id)
        await events.add(connection, ticket_id, status.value, user_id)
        await sync_request(transaction, request)
        if (announcement := _ANNOUNCED.get(status)) is not None:
            await effects.add(connection, ticket_id, announcement, request.id)
        await sync_card(transaction, ticket_id)
        transaction.touch(TICKET, ticket_id)
    return request


async def sync_request(transaction: Transaction, request: CloseRequest) -> None:
    await effects.add(
        transaction.connection, request.ticket_id, EffectKind.SYNC_REQUEST, request.id
    )


async def sync_card(transaction: Transaction, ticket_id: int) -> None:
    """The first message of the ticket; after what people wait for."""
    await effects.add(transaction.connection, ticket_id, EffectKind.SYNC_CARD)


async def begin_close(
    transaction: Transaction,
    ticket_id: int,
    cause: CloseCause,
    closed_by_id: int | None,
    reason: str | None,
) -> Ticket:
    """The ticket must be locked, and open."""
    closing = await tickets.mark_closing(
        transaction.connection, ticket_id, cause, closed_by_id, reason
    )
    assert closing is not None
    await events.add(
        transaction.connection, ticket_id, "closing", closed_by_id, params={"cause": cause.value}
    )
    await plan_close(transaction, [ticket_id])
    return closing


async def plan_close(transaction: Transaction, ticket_ids: Sequence[int]) -> None:
    """What follows the decision, in its order; what is still to be said otherwise is moot."""
    await effects.drop(transaction.connection, ticket_ids, MOOT_IN_A_CLOSING_TICKET)
    await effects.add_many(transaction.connection, ticket_ids, story(*CLOSE_STEPS))
    transaction.touch(TICKET, *ticket_ids)


async def why_not_pending(
    transaction: Transaction, ticket_id: int, close_request_id: int | None
) -> RequestResolvedError | NothingPendingError | TicketNotFoundError:
    if close_request_id is None:
        return NothingPendingError()
    request = await requests.get(transaction.connection, close_request_id)
    if request is None or request.ticket_id != ticket_id:
        return TicketNotFoundError()
    return RequestResolvedError(request)
