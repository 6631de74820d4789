"""Closing by command, by the channel's end, for want of a timer, or because the bot has left."""

from __future__ import annotations

import logging
from contextlib import suppress

from domains.effects import store as effects
from domains.effects.effect import Lane
from domains.ticket_lifecycle.errors import TicketNotOpenError
from domains.ticket_lifecycle.models import (
    CloseCause,
    CloseRequest,
    RequestStatus,
    Ticket,
    TicketStatus,
)
from domains.ticket_lifecycle.services import Services
from domains.ticket_lifecycle.store import (
    events,
    message_changes,
    requests,
    retention,
    tickets,
)
from domains.ticket_lifecycle.text_input import MAX_REASON_LENGTH, sanitize
from domains.ticket_lifecycle.transitions import (
    TICKET,
    begin_close,
    lock_open_ticket,
    sync_request,
)

log = logging.getLogger(__name__)


class CloseTicket:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def by_command(self, ticket_id: int, closed_by_id: int, reason: str | None) -> Ticket:
        """Decide it; what follows is done by itself. Raises TicketNotOpen if somebody was
        faster."""
        reason = sanitize(reason, MAX_REASON_LENGTH) or None
        return await self._close(ticket_id, CloseCause.COMMAND, closed_by_id, reason)

    async def channel_deleted(self, ticket: Ticket) -> None:
        """Somebody deleted the channel by hand: the ticket is over, and its timers too."""
        if ticket.status is TicketStatus.OPEN:
            with suppress(TicketNotOpenError):  # somebody was faster, and that is as good
                await self._close(ticket.id, CloseCause.CHANNEL_DELETED, None, None)
        elif ticket.status is TicketStatus.CLOSING:
            # An admin has done by hand what the bot may not.
            await self.retry(ticket.id)

    async def without_timer(self, request: CloseRequest) -> bool:
        """There is nothing to wait with. Unless the ticket is excluded, or the request was
        answered while it was posted."""
        async with self._services.database.transaction() as transaction:
            connection = transaction.connection
            ticket = await tickets.lock(connection, request.ticket_id)
            if ticket is None or ticket.exclude_from_autoclose:
                return False
            closed = await requests.resolve(
                connection, ticket.id, RequestStatus.CLOSED, request.requested_by_id, request.id
            )
            if closed is None:
                return False
            await sync_request(transaction, closed)
            await begin_close(
                transaction,
                ticket.id,
                CloseCause.WITHOUT_REDIS,
                request.requested_by_id,
                request.reason,
            )
        return True

    async def _close(
        self, ticket_id: int, cause: CloseCause, closed_by_id: int | None, reason: str | None
    ) -> Ticket:
        async with self._services.database.transaction() as transaction:
            await lock_open_ticket(transaction, ticket_id)
            request = await requests.resolve(
                transaction.connection, ticket_id, RequestStatus.CLOSED, closed_by_id
            )
            if request is not None and cause is not CloseCause.CHANNEL_DELETED:
                await sync_request(transaction, request)
            return await begin_close(transaction, ticket_id, cause, closed_by_id, reason)

    async def server_left(self, guild_id: int) -> int:
        """The bot is no longer there: its tickets are over, with nothing left to tell anybody.
        Returns how many."""
        async with self._services.database.transaction() as transaction:
            connection = transaction.connection
            await retention.note_left(connection, guild_id)
            if self._services.policy.retention.left_server_days:
                await retention.plan(connection, keeps_for_days=False)
                transaction.touch("cleanup", 1)
            ids = await tickets.close_all_of_guild(connection, guild_id, CloseCause.LEFT_SERVER)
            if ids:
                await requests.resolve_all_of(connection, ids)
                await effects.drop_all(connection, ids)
                await message_changes.delete_of(connection, ids)
                await events.add_many(connection, "left_server", [(id_, None) for id_ in ids])
                transaction.touch(TICKET, *ids)
        if ids:
            log.info("The bot is no longer in guild %s: %d tickets are over", guild_id, len(ids))
        return len(ids)

    async def retry(self, ticket_id: int, user_id: int | None = None) -> None:
        """A person says that it is mended: what has failed is tried now, with all its attempts,
        and waited for. Never raises what Discord says; the ticket tells."""
        if not await self.plan_retry(ticket_id, user_id):
            return
        for lane in (Lane.READING, Lane.STORY):
            try:
                await self._services.effects.deliver(ticket_id, lane)
            except Exception as error:
                log.debug("Ticket %s, tried again: %s", ticket_id, error)

    async def plan_retry(self, ticket_id: int, user_id: int | None) -> bool:
        """`retry` without waiting for it. False if there is no such ticket."""
        async with self._services.database.transaction() as transaction:
            connection = transaction.connection
            ticket = await tickets.lock(connection, ticket_id)
            if ticket is None:
                return False
            if await effects.retry_now(connection, ticket_id):
                await events.add(connection, ticket_id, "retried", user_id)
            else:
                await tickets.clear_attention(connection, ticket_id)
            transaction.touch(TICKET, ticket_id)
        return True
