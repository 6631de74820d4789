"""More time: the opener a few times, support as often as it likes."""

from __future__ import annotations

from datetime import timedelta

from domains.effects import store as effects
from domains.ticket_lifecycle.close_delay import MAX_CLOSE_DELAY
from domains.ticket_lifecycle.effect_kinds import EffectKind
from domains.ticket_lifecycle.errors import (
    ExtendedAlreadyError,
    NoMoreTimeError,
    NoTimerError,
    TooFarError,
)
from domains.ticket_lifecycle.models import CloseRequest
from domains.ticket_lifecycle.services import Services
from domains.ticket_lifecycle.store import events, requests, tickets
from domains.ticket_lifecycle.transitions import (
    lock_open_ticket,
    sync_card,
    sync_request,
    why_not_pending,
)

EXTENSION = timedelta(hours=24)


class ExtendDeadline:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def extend(
        self,
        ticket_id: int,
        user_id: int,
        close_request_id: int | None,
        *,
        at_most: int | None = None,
        known_extensions: int | None = None,
    ) -> CloseRequest:
        """`at_most` limits how often, None is no limit (support). `known_extensions` are those
        that the one who asks knows of: asking twice at once moves the deadline once."""
        async with self._services.database.transaction() as transaction:
            connection = transaction.connection
            await lock_open_ticket(transaction, ticket_id, close_request_id)
            before = await requests.pending(connection, ticket_id)
            if before is None or close_request_id not in (None, before.id):
                raise await why_not_pending(transaction, ticket_id, close_request_id)
            if before.auto_close_at is None:
                raise NoTimerError
            if known_extensions not in (None, before.extensions):
                raise ExtendedAlreadyError
            extended = await requests.extend_deadline(
                connection,
                before.id,
                EXTENSION,
                at_most,
                MAX_CLOSE_DELAY,
                extended_by_id=user_id,
            )
            if extended is None:
                raise _why_not(before, at_most)
            await tickets.clear_attention(connection, ticket_id)
            await events.add(
                connection,
                ticket_id,
                "extended",
                user_id,
                params={"seconds": int(EXTENSION.total_seconds())},
            )
            await sync_request(transaction, extended)
            await effects.add(connection, ticket_id, EffectKind.ANNOUNCE_EXTENSION, extended.id)
            await sync_card(transaction, ticket_id)
        return extended


def _why_not(request: CloseRequest, at_most: int | None) -> NoMoreTimeError | TooFarError:
    if at_most is not None and request.extensions >= at_most:
        return NoMoreTimeError(at_most)
    return TooFarError(MAX_CLOSE_DELAY)
