"""Support asks the opener whether the ticket may be closed."""

from __future__ import annotations

from domains.effects import store as effects
from domains.effects.effect import GaveUpError
from domains.formatting import reason_text
from domains.ticket_lifecycle.channels import ChannelError
from domains.ticket_lifecycle.close_delay import delay_from_hours
from domains.ticket_lifecycle.effect_kinds import EffectKind
from domains.ticket_lifecycle.errors import CannotAskError
from domains.ticket_lifecycle.models import CloseRequest, RequestStatus
from domains.ticket_lifecycle.services import Services
from domains.ticket_lifecycle.store import events, requests, tickets
from domains.ticket_lifecycle.text_input import MAX_REASON_LENGTH, sanitize
from domains.ticket_lifecycle.transitions import lock_open_ticket, sync_card, sync_request
from locales import Text


class AskToClose:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def ask(
        self,
        ticket_id: int,
        requested_by_id: int,
        reason: str | None,
        auto_close_hours: float | None,
    ) -> CloseRequest:
        """Write the request and show it to the opener; all or nothing. Its timer runs from then
        on. A pending request is replaced."""
        delay = delay_from_hours(auto_close_hours)
        reason = sanitize(reason, MAX_REASON_LENGTH) or None
        async with self._services.database.transaction() as transaction:
            connection = transaction.connection
            await lock_open_ticket(transaction, ticket_id)
            await tickets.clear_attention(connection, ticket_id)
            replaced = await requests.resolve(
                connection, ticket_id, RequestStatus.SUPERSEDED, requested_by_id
            )
            request = await requests.insert(connection, ticket_id, requested_by_id, reason, delay)
            await events.add(
                connection,
                ticket_id,
                "close_requested",
                requested_by_id,
                params={"reason": reason} if reason else None,
            )
            await effects.add(connection, ticket_id, EffectKind.ASK, request.id)
            if replaced is not None:
                await sync_request(transaction, replaced)
            await sync_card(transaction, ticket_id)
        while True:
            try:
                await self._services.effects.deliver(ticket_id)
            except GaveUpError as error:
                if (await self._current(request)).status is RequestStatus.PENDING:
                    continue  # it was another question, which this one waited behind
                assert isinstance(error.__cause__, ChannelError)
                raise CannotAskError(error.__cause__.text) from error.__cause__
            except ChannelError:
                pass  # something else that the ticket is to be told; that is tried again
            current = await self._current(request)
            if current.was_taken_back:
                raise CannotAskError(await self._why_not(ticket_id))
            return current

    async def _why_not(self, ticket_id: int) -> Text:
        """As the history has it: it may have been the runner, or another process, that asked."""
        async with self._services.database.connection() as connection:
            history = await events.of_ticket(connection, ticket_id)
        why = next(event for event in reversed(history) if event.event == "could_not_ask")
        return reason_text(why.params)

    async def _current(self, request: CloseRequest) -> CloseRequest:
        async with self._services.database.connection() as connection:
            return await requests.get(connection, request.id) or request
