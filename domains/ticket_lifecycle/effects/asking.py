"""Asking the opener, what became of it, and what they answered."""

from __future__ import annotations

import logging
from datetime import timedelta
from time import perf_counter
from typing import ClassVar

from domains.database import Transaction
from domains.effects.effect import AfterDelivery, GaveUpError, Lane
from domains.error_codes import error_code
from domains.ticket_lifecycle.answer_request import AnswerRequest
from domains.ticket_lifecycle.channels import (
    Announcement,
    ChannelError,
    ChannelGoneError,
    DiscordAwayError,
    DiscordFailedError,
)
from domains.ticket_lifecycle.effect_kinds import EffectKind
from domains.ticket_lifecycle.effects.ticket_effect import Situation, TicketEffect
from domains.ticket_lifecycle.expire_requests import ExpireRequests
from domains.ticket_lifecycle.missed_messages import NOTHING_MISSED, Missed
from domains.ticket_lifecycle.models import CloseRequest, RequestStatus, Ticket, TicketStatus
from domains.ticket_lifecycle.services import Services
from domains.ticket_lifecycle.store import events, requests, tickets
from domains.ticket_lifecycle.transitions import TICKET, sync_card, sync_request

log = logging.getLogger(__name__)

LATE_AFTER = timedelta(seconds=10)
"""A question that is posted so much later gets its whole delay from then on."""


class Ask(TicketEffect):
    """Post the close request. Its timer runs only once the opener has been shown it."""

    kind: ClassVar[str] = EffectKind.ASK
    essential: ClassVar[bool] = True

    async def tell(self, situation: Situation) -> AfterDelivery | None:
        request, posting = situation.request, situation.posting
        if request is None or request.status is not RequestStatus.PENDING or request.is_asked:
            return None
        is_late = posting.again or self._comes_late(request)
        if is_late:
            request = await self._with_full_delay(request)
            if request is None:
                return None
        began, misses = perf_counter(), self.services.status.misses.count(situation.ticket.guild_id)
        try:
            message_id = await self.services.channels.ask(
                situation.ticket, situation.guild, request, posting
            )
        except DiscordFailedError as error:
            if is_late:
                raise  # nobody waits for the answer any more; the opener is asked later
            await self._take_back(situation.ticket, request, error)
            raise GaveUpError from error
        except ChannelError as error:
            await self._take_back(situation.ticket, request, error)
            raise GaveUpError from error
        if self.services.status.misses.count(situation.ticket.guild_id) != misses:
            self.services.status.misses.note(situation.ticket.guild_id)  # of this request, too
        return self._asked(situation.ticket, request, message_id, began, again=posting.again)

    def _comes_late(self, request: CloseRequest) -> bool:
        """It waited behind something else."""
        return self.services.database.clock.moment() > request.requested_at + LATE_AFTER

    async def _with_full_delay(self, request: CloseRequest) -> CloseRequest | None:
        async with self.services.database.connection() as connection:
            return await requests.restart_deadline(connection, request.id)

    def _asked(
        self, ticket: Ticket, asked: CloseRequest, message_id: int, began: float, *, again: bool
    ) -> AfterDelivery:
        async def record(transaction: Transaction) -> None:
            took = timedelta(seconds=perf_counter() - began)
            request = await requests.set_asked(transaction.connection, asked.id, message_id, took)
            if request is None:
                return
            if (
                again
                or request.status is not RequestStatus.PENDING
                or request.auto_close_at != asked.auto_close_at
            ):
                # It was answered, replaced or moved while Discord was posting it.
                await sync_request(transaction, request)
                await sync_card(transaction, ticket.id)
            transaction.touch(TICKET, ticket.id)

        return record

    async def _take_back(self, ticket: Ticket, request: CloseRequest, why: ChannelError) -> None:
        """As if it had never been asked for: a request that it replaced stands again."""
        async with self.services.database.transaction() as transaction:
            connection = transaction.connection
            await tickets.lock(connection, ticket.id)
            withdrawn = await requests.resolve(
                connection, ticket.id, RequestStatus.WITHDRAWN, None, request.id
            )
            if withdrawn is None:
                return
            await events.add(connection, ticket.id, "could_not_ask", params=error_code(why))
            replaced_id = await requests.superseded_by(connection, request)
            restored = (
                await requests.restore_superseded(connection, replaced_id) if replaced_id else None
            )
            if restored is not None:
                await sync_request(transaction, restored)
            await sync_card(transaction, ticket.id)
            transaction.touch(TICKET, ticket.id)


class SyncRequest(TicketEffect):
    """Make the message of a close request tell what its row says."""

    kind: ClassVar[str] = EffectKind.SYNC_REQUEST

    async def tell(self, situation: Situation) -> None:
        request = situation.request
        if request is None or not request.is_asked:
            return
        if request.status is RequestStatus.PENDING:
            await self.services.channels.show_deadline(situation.ticket, situation.guild, request)
        else:
            await self.services.channels.show_outcome(situation.ticket, request)


class SyncCard(TicketEffect):
    """Make the first message of a ticket tell its state."""

    kind: ClassVar[str] = EffectKind.SYNC_CARD

    async def tell(self, situation: Situation) -> None:
        ticket = situation.ticket
        if ticket.status is not TicketStatus.OPEN or ticket.card_message_id is None:
            return
        async with self.services.database.connection() as connection:
            pending = await requests.pending(connection, ticket.id)
        await self.services.channels.show_card(ticket, situation.guild, pending)


class AnnounceGrace(TicketEffect):
    """Say when the ticket closes now. While it is not said, the ticket has no timer."""

    kind: ClassVar[str] = EffectKind.ANNOUNCE_GRACE
    essential: ClassVar[bool] = True

    def __init__(self, services: Services, answers: AnswerRequest) -> None:
        super().__init__(services)
        self._answers = answers

    async def tell(self, situation: Situation) -> AfterDelivery | None:
        ticket, request = situation.ticket, situation.request
        if request is None or request.status is not RequestStatus.PENDING:
            return None
        if situation.guild.reply_keeps_open and await self._has_answered(ticket, request):
            await self._answers.replied(ticket, request)
            return None
        request = await self._with_whole_grace(request)
        await self.services.channels.show_deadline(ticket, situation.guild, request)
        await self.services.channels.announce(
            ticket,
            Announcement("grace", mention_id=ticket.opener_id, request=request),
            situation.posting,
        )

        async def record(transaction: Transaction) -> None:
            if ticket.card_message_id is not None:
                await sync_card(transaction, ticket.id)
            transaction.touch(TICKET, ticket.id)

        return record

    async def _has_answered(self, ticket: Ticket, request: CloseRequest) -> bool:
        return request.message_id is not None and (
            await self.services.channels.opener_wrote_after(ticket, request.message_id) is not None
        )

    async def _with_whole_grace(self, request: CloseRequest) -> CloseRequest:
        """What could not be announced for so long that little is left of it begins anew."""
        grace = self.services.policy.outage_grace
        async with self.services.database.connection() as connection:
            left = await requests.time_left(connection, request.id)
            if left is None or left > grace / 2:
                return request
            return await requests.move_deadline(connection, request.id, grace) or request


class ReadReplies(TicketEffect):
    """Look for what the opener wrote while nobody listened; then the deadline can be decided."""

    kind: ClassVar[str] = EffectKind.READ_REPLIES
    lane: ClassVar[Lane] = Lane.READING
    essential: ClassVar[bool] = True

    def __init__(self, services: Services, answers: AnswerRequest, expiry: ExpireRequests) -> None:
        super().__init__(services)
        self._answers = answers
        self._expiry = expiry

    async def tell(self, situation: Situation) -> AfterDelivery | None:
        ticket, request = situation.ticket, situation.request
        if (
            request is None
            or request.status is not RequestStatus.PENDING
            or request.message_id is None
        ):
            return None
        status = self.services.status
        began, misses = perf_counter(), status.misses.count(ticket.guild_id)
        if await self._has_answered(ticket, request.message_id):
            await self._answers.replied(ticket, request)
            return None

        async def decide(transaction: Transaction) -> None:
            took = timedelta(seconds=perf_counter() - began)
            await tickets.lock(transaction.connection, ticket.id)
            missed_meanwhile = status.misses.count(ticket.guild_id) != misses
            if not missed_meanwhile:
                await requests.set_read(transaction.connection, request.id, took)
            # What went by before has been read.
            here = Missed(guild_ids=frozenset({ticket.guild_id}))
            missed = here if missed_meanwhile else NOTHING_MISSED
            decision = await self._expiry.decide(transaction, [ticket.id], missed=missed)
            if ticket.id in decision.being_read:
                # Read again at once, it would be read without a pause.
                raise DiscordAwayError("what was written last may not have been heard yet")
            transaction.touch(TICKET, ticket.id)

        return decide

    async def _has_answered(self, ticket: Ticket, message_id: int) -> bool:
        """In a channel that is gone nobody has."""
        try:
            return await self.services.channels.opener_wrote_after(ticket, message_id) is not None
        except ChannelGoneError:
            return False
