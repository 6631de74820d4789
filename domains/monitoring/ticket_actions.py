"""What an operator may do to a ticket: which actions are possible now, and doing them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from domains.errors import OperatorError
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.errors import TicketNotFoundError
from domains.ticket_lifecycle.models import (
    CloseRequest,
    Operator,
    RequestStatus,
    Ticket,
    TicketStatus,
)


class TicketAction(StrEnum):
    RETRY = "retry"
    EXTEND = "extend"
    WITHDRAW = "withdraw"
    EXCLUDE = "exclude"
    INCLUDE = "include"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class TicketCase:
    """A ticket, and what there is about it that decides what may be done."""

    ticket: Ticket
    request: CloseRequest | None
    """The pending one, else the last."""
    has_failures: bool
    """Something that Discord is to be told has failed so far."""

    @property
    def has_pending_request(self) -> bool:
        return self.request is not None and self.request.status is RequestStatus.PENDING

    def options(self) -> Sequence[TicketAction]:
        ticket, request = self.ticket, self.request
        is_open = ticket.status is TicketStatus.OPEN
        is_pending = is_open and self.has_pending_request
        is_timed = is_pending and request is not None and request.auto_close_at is not None
        needs_retry = ticket.status is not TicketStatus.CLOSED and ticket.attention is not None
        possible = {
            TicketAction.RETRY: needs_retry or self.has_failures,
            TicketAction.EXTEND: is_timed,
            TicketAction.WITHDRAW: is_pending,
            TicketAction.EXCLUDE: is_open and not ticket.exclude_from_autoclose,
            TicketAction.INCLUDE: is_open and ticket.exclude_from_autoclose,
            TicketAction.CLOSE: is_open,
        }
        return [action for action in TicketAction if possible[action]]


class NotPossibleNowError(OperatorError):
    def __init__(self) -> None:
        super().__init__("Nothing was done: the ticket has changed meanwhile. Look at it again.")


class TicketActions:
    def __init__(self, tickets: TicketLifecycle) -> None:
        self._tickets = tickets

    async def case(self, ticket_id: int) -> TicketCase:
        """Raises TicketNotFound."""
        ticket = await self._tickets.ticket(ticket_id)
        if ticket is None:
            raise TicketNotFoundError
        effects = await self._tickets.pending_effects(ticket_id)
        return TicketCase(
            ticket,
            await self._tickets.latest_request(ticket_id),
            any(effect.failures for effect in effects),
        )

    async def act(
        self,
        action: TicketAction,
        ticket_id: int,
        operator: Operator,
        *,
        request_id: int | None = None,
        reason: str | None = None,
    ) -> Ticket | None:
        """Returns the ticket as it is then. `request_id` is the close request that the operator
        was shown: another one is left alone. Raises a UserError that says why not."""
        tickets = self._tickets
        if action not in (await self.case(ticket_id)).options():
            raise NotPossibleNowError
        match action:
            case TicketAction.RETRY:
                await tickets.retry_close(ticket_id, operator)
            case TicketAction.EXTEND:
                await tickets.extend_close_request(ticket_id, operator, request_id)
            case TicketAction.WITHDRAW:
                await tickets.withdraw_close_request(ticket_id, operator, request_id)
            case TicketAction.EXCLUDE:
                await tickets.exclude_from_autoclose(ticket_id, operator)
            case TicketAction.INCLUDE:
                await tickets.include_in_autoclose(ticket_id, operator)
            case TicketAction.CLOSE:
                await tickets.close_ticket(ticket_id, operator, reason)
        return await tickets.ticket(ticket_id)
