"""A deadline has passed: decide it, for one ticket or for many at once.

It takes milliseconds, and Discord has no part in it. What the opener wrote has been noted as it
came; if messages may have gone by meanwhile, the channel is read first, as an effect.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from domains.database import Transaction
from domains.effects import store as effects
from domains.effects.effect import Lane
from domains.ticket_lifecycle.channels import DiscordAwayError
from domains.ticket_lifecycle.effect_kinds import EffectKind
from domains.ticket_lifecycle.missed_messages import Missed
from domains.ticket_lifecycle.models import (
    AutoCloseOutcome,
    CloseRequest,
    RequestStatus,
    Ticket,
    TicketStatus,
)
from domains.ticket_lifecycle.services import Services
from domains.ticket_lifecycle.store import events, requests, tickets
from domains.ticket_lifecycle.transitions import TICKET, plan_close

if TYPE_CHECKING:
    from domains.database import Connection

log = logging.getLogger(__name__)

NOTING_TIMEOUT_S = 5.0
AWAY_S = 3.0


@dataclass(frozen=True, slots=True)
class Decision:
    closing: frozenset[int]
    """Tickets whose time is up."""
    being_read: frozenset[int]
    """Tickets whose channel is read first."""


class ExpireRequests:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def require_current(self) -> None:
        """Raises DiscordAway if what Discord has said up to now may not have been heard yet.

        While Discord is away this takes a while: however many timers are due, few keep trying.
        """
        status = self._services.status
        await status.wait(AWAY_S)
        if not status.connected or not await self._services.channels.is_current():
            raise DiscordAwayError("what was written last may not have been heard yet")
        if not await status.wait_until_noted(NOTING_TIMEOUT_S):
            raise DiscordAwayError("what was written last has not been noted yet")

    async def decide(
        self, transaction: Transaction, ticket_ids: Sequence[int], *, missed: Missed | None = None
    ) -> Decision:
        """The tickets must be locked. `missed` is where messages may have gone by that
        PostgreSQL does not know of; as far as we know, unless the caller knows better."""
        connection = transaction.connection
        if missed is None:
            missed = self._services.status.misses.unrecorded.missed
        expired = await requests.expire(
            connection, ticket_ids, self._services.policy.outage_grace, missed=missed
        )
        if expired:
            await tickets.mark_expired(
                connection, [(each.ticket_id, each.reason) for each in expired]
            )
            await events.add_many(
                connection, "expired", [(each.ticket_id, each.late_ms) for each in expired]
            )
            await effects.add_about(
                connection,
                EffectKind.SYNC_REQUEST,
                [(each.ticket_id, each.close_request_id) for each in expired],
            )
            await plan_close(transaction, [each.ticket_id for each in expired])
        unread = await self._read_first(transaction, ticket_ids, expired, missed=missed)
        return Decision(frozenset(each.ticket_id for each in expired), unread)

    async def _read_first(
        self,
        transaction: Transaction,
        ticket_ids: Sequence[int],
        expired: Sequence[requests.Expired],
        *,
        missed: Missed,
    ) -> frozenset[int]:
        left = sorted(set(ticket_ids) - {each.ticket_id for each in expired})
        if not left:
            return frozenset()
        unread = await requests.unread(transaction.connection, left, missed=missed)
        if unread:
            await effects.add_about_once(
                transaction.connection, EffectKind.READ_REPLIES, unread, lane=Lane.READING
            )
            transaction.touch(TICKET, *(ticket_id for ticket_id, _ in unread))
        return frozenset(ticket_id for ticket_id, _ in unread)

    async def auto_close(self, ticket_id: int, close_request_id: int | None) -> AutoCloseOutcome:
        """For one ticket, out of turn: the timer calls `decide`, for many. Any number of calls
        close once."""
        await self.require_current()
        async with self._services.database.transaction() as transaction:
            await tickets.lock(transaction.connection, ticket_id)
            decision = await self.decide(transaction, [ticket_id])
            if ticket_id in decision.closing:
                return AutoCloseOutcome.CLOSING
            if ticket_id in decision.being_read:
                return AutoCloseOutcome.BEING_READ
            return await why_not(transaction.connection, ticket_id, close_request_id)


async def why_not(
    connection: Connection, ticket_id: int, close_request_id: int | None = None
) -> AutoCloseOutcome:
    """Why the ticket's time is not up. A job of another version may not name the request: then it
    is the ticket's latest."""
    ticket = await tickets.get(connection, ticket_id)
    request = (
        await requests.latest(connection, ticket_id)
        if close_request_id is None
        else await requests.get(connection, close_request_id)
    )
    if ticket is None or request is None or request.ticket_id != ticket_id:
        return AutoCloseOutcome.GONE
    left = await requests.time_left(connection, request.id)
    return _why_not(ticket, request, is_due=left is not None and left <= timedelta(0))


def _why_not(ticket: Ticket, request: CloseRequest, *, is_due: bool) -> AutoCloseOutcome:
    outcomes = (
        (ticket.status is TicketStatus.CLOSED, AutoCloseOutcome.ALREADY_CLOSED),
        (request.status is RequestStatus.ANSWERED, AutoCloseOutcome.ANSWERED),
        (request.status is not RequestStatus.PENDING, AutoCloseOutcome.NOT_PENDING),
        (ticket.status is not TicketStatus.OPEN, AutoCloseOutcome.NOT_PENDING),
        (ticket.exclude_from_autoclose, AutoCloseOutcome.EXCLUDED),
        (not is_due, AutoCloseOutcome.NOT_DUE),
    )
    return next((outcome for applies, outcome in outcomes if applies), AutoCloseOutcome.NOT_ASKED)
