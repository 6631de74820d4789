"""The timer of one ticket, off and on."""

from __future__ import annotations

from domains.database import Transaction
from domains.ticket_lifecycle.errors import AlreadyExcludedError, NotExcludedError
from domains.ticket_lifecycle.models import CloseRequest
from domains.ticket_lifecycle.services import Services
from domains.ticket_lifecycle.store import events, requests, tickets
from domains.ticket_lifecycle.transitions import lock_open_ticket, sync_card, sync_request


class ExcludeTicket:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def exclude(self, ticket_id: int, user_id: int) -> CloseRequest | None:
        """Returns the pending request whose timer this switches off, if there is one."""
        async with self._services.database.transaction() as transaction:
            await lock_open_ticket(transaction, ticket_id)
            if not await tickets.set_excluded(transaction.connection, ticket_id, excluded=True):
                raise AlreadyExcludedError
            await events.add(transaction.connection, ticket_id, "excluded", user_id)
            request = await requests.pending(transaction.connection, ticket_id)
            return await self._told(transaction, ticket_id, request)

    async def include(self, ticket_id: int, user_id: int) -> CloseRequest | None:
        """Returns the pending request whose timer runs again, if there is one.

        A deadline that passed meanwhile is moved: nobody loses a ticket the moment it is
        included again.
        """
        async with self._services.database.transaction() as transaction:
            await lock_open_ticket(transaction, ticket_id)
            if not await tickets.set_excluded(transaction.connection, ticket_id, excluded=False):
                raise NotExcludedError
            await events.add(transaction.connection, ticket_id, "included", user_id)
            request = await requests.pending(transaction.connection, ticket_id)
            if request is not None and request.auto_close_at is not None:
                request = await requests.move_deadline(
                    transaction.connection, request.id, self._services.policy.min_close_delay
                )
            return await self._told(transaction, ticket_id, request)

    async def _told(
        self, transaction: Transaction, ticket_id: int, request: CloseRequest | None
    ) -> CloseRequest | None:
        """Its message says whether the timer holds, and so does the ticket's first."""
        has_timer = request is not None and request.auto_close_at is not None
        if request is not None and has_timer:
            await sync_request(transaction, request)
        await sync_card(transaction, ticket_id)
        return request if has_timer else None
