"""How a close request is answered: accepted, denied, withdrawn, or by writing in the ticket."""

from __future__ import annotations

from domains.ticket_lifecycle.errors import NotTheOpenerError
from domains.ticket_lifecycle.models import CloseCause, CloseRequest, RequestStatus, Ticket
from domains.ticket_lifecycle.services import Services
from domains.ticket_lifecycle.store import guilds, requests, tickets
from domains.ticket_lifecycle.transitions import (
    answer_request,
    begin_close,
    lock_open_ticket,
    why_not_pending,
)


class AnswerRequest:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def accept(self, ticket_id: int, user_id: int, close_request_id: int | None) -> Ticket:
        """The opener agrees: the ticket is marked closing and returned."""
        async with self._services.database.transaction() as transaction:
            ticket = await lock_open_ticket(transaction, ticket_id, close_request_id)
            if user_id != ticket.opener_id:
                raise NotTheOpenerError
            request = await answer_request(
                transaction, ticket_id, RequestStatus.ACCEPTED, user_id, close_request_id
            )
            if request is None:
                raise await why_not_pending(transaction, ticket_id, close_request_id)
            return await begin_close(
                transaction, ticket_id, CloseCause.ACCEPTED, user_id, request.reason
            )

    async def cancel(
        self,
        ticket_id: int,
        user_id: int,
        close_request_id: int | None,
        *,
        as_staff: bool = False,
    ) -> CloseRequest:
        """Denied if it is the opener who does it, withdrawn if it is anybody else, or staff."""
        async with self._services.database.transaction() as transaction:
            ticket = await lock_open_ticket(transaction, ticket_id, close_request_id)
            denied = user_id == ticket.opener_id and not as_staff
            status = RequestStatus.DENIED if denied else RequestStatus.WITHDRAWN
            request = await answer_request(
                transaction, ticket_id, status, user_id, close_request_id
            )
            if request is None:
                raise await why_not_pending(transaction, ticket_id, close_request_id)
        return request

    async def note_reply(
        self, guild_id: int, channel_id: int, author_id: int, message_id: int
    ) -> int | None:
        """The opener wrote: a pending timed request is answered. Returns its ticket, if there was
        one."""
        async with self._services.database.connection() as connection:
            ticket = await tickets.in_channel(connection, guild_id, channel_id)
            if ticket is None or ticket.opener_id != author_id:
                return None
            pending = await requests.pending(connection, ticket.id)
            if pending is None or not _is_reply(pending, message_id):
                return None
            guild = await guilds.settings(connection, guild_id)
        answered = guild.reply_keeps_open and await self.replied(ticket, pending)
        return ticket.id if answered else None

    async def replied(self, ticket: Ticket, request: CloseRequest) -> bool:
        """False if somebody, or the clock, was faster."""
        async with self._services.database.transaction() as transaction:
            await tickets.lock(transaction.connection, ticket.id)
            answered = await answer_request(
                transaction, ticket.id, RequestStatus.ANSWERED, ticket.opener_id, request.id
            )
        return answered is not None


def _is_reply(pending: CloseRequest, message_id: int) -> bool:
    """Ids tell the order of messages; clocks of two machines do not."""
    return pending.auto_close_at is not None and (
        pending.message_id is None or message_id > pending.message_id
    )
