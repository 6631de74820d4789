"""The end of a ticket: transcript, log message, direct message, channel; each at most once, and
nothing deleted before the transcript is saved."""

from __future__ import annotations

import asyncio
import logging
from typing import ClassVar

from domains.database import Transaction
from domains.effects.effect import AfterDelivery
from domains.ticket_lifecycle.channels import ChannelGoneError
from domains.ticket_lifecycle.effect_kinds import EffectKind
from domains.ticket_lifecycle.effects.close_facts import close_facts
from domains.ticket_lifecycle.effects.ticket_effect import Situation, TicketEffect
from domains.ticket_lifecycle.models import CloseCause, Ticket, TicketStatus
from domains.ticket_lifecycle.store import events, message_changes, requests, tickets
from domains.ticket_lifecycle.transitions import TICKET
from domains.transcripts import Named, TranscriptHeader, with_changes

log = logging.getLogger(__name__)


class CloseStep(TicketEffect):
    essential: ClassVar[bool] = True

    async def tell(self, situation: Situation) -> AfterDelivery | None:
        if situation.ticket.status is not TicketStatus.CLOSING:
            return None
        return await self.close(situation)

    async def close(self, situation: Situation) -> AfterDelivery | None:
        raise NotImplementedError


class SaveTranscript(CloseStep):
    kind: ClassVar[str] = EffectKind.SAVE_TRANSCRIPT

    async def close(self, situation: Situation) -> None:
        ticket, channels = situation.ticket, self.services.channels
        try:
            header = await self._header(situation)
            async with self.services.database.connection() as connection:
                changes = await message_changes.of_ticket(connection, ticket.id)
            await self.services.transcripts.save(
                header, with_changes(channels.history(ticket), changes), channels.download
            )
        except ChannelGoneError:
            log.info("The channel of ticket %s is gone, so it has no transcript", ticket.id)

    async def _header(self, situation: Situation) -> TranscriptHeader:
        ticket = situation.ticket
        async with self.services.database.connection() as connection:
            ended_by = await requests.latest(connection, ticket.id) if _was_asked(ticket) else None
            history = await events.of_ticket(connection, ticket.id)
        asked_by_id = ended_by.requested_by_id if ended_by else None
        names = await self.services.channels.names(ticket, situation.guild, asked_by_id)
        return TranscriptHeader(
            guild_name=names.guild,
            channel_name=names.channel,
            ticket_number=ticket.number,
            ticket_id=ticket.id,
            guild_id=ticket.guild_id,
            subject=ticket.subject,
            opener=Named(ticket.opener_id, names.opener),
            opened_at=ticket.opened_at,
            closed_at=self.services.database.clock.moment(),
            closed_by=_named(ticket.closed_by_id, names.closed_by),
            reason=ticket.close_reason,
            cause=ticket.close_cause,
            asked_by=_named(asked_by_id, names.asked_by),
            late_ms=next((each.late_ms for each in history if each.event == "expired"), None),
            locale=names.locale,
        )


def _was_asked(ticket: Ticket) -> bool:
    """Whether a close request brought the close about."""
    return ticket.close_cause in (CloseCause.ACCEPTED, CloseCause.EXPIRED)


def _named(user_id: int | None, name: str | None) -> Named | None:
    return Named(user_id, name) if user_id is not None and name is not None else None


class LogClose(CloseStep):
    kind: ClassVar[str] = EffectKind.LOG_CLOSE

    async def close(self, situation: Situation) -> None:
        ticket = situation.ticket
        transcript = await asyncio.to_thread(
            self.services.transcripts.find, ticket.guild_id, ticket.id
        )
        facts = await close_facts(self.services, ticket)
        await self.services.channels.log_close(
            ticket, situation.guild, facts, transcript, situation.posting
        )


class DmOpener(CloseStep):
    kind: ClassVar[str] = EffectKind.DM_OPENER

    async def close(self, situation: Situation) -> None:
        ticket = situation.ticket
        facts = await close_facts(self.services, ticket)
        transcript = None
        if facts.is_shareable:
            transcript = await asyncio.to_thread(
                self.services.transcripts.find, ticket.guild_id, ticket.id
            )
        await self.services.channels.dm_opener(ticket, facts, transcript, situation.posting)


class RemoveChannel(CloseStep):
    """The end: only now the ticket is closed."""

    kind: ClassVar[str] = EffectKind.REMOVE_CHANNEL

    async def close(self, situation: Situation) -> AfterDelivery:
        try:
            await self.services.channels.remove(situation.ticket)
        except ChannelGoneError:
            log.info("The channel of ticket %s is gone already", situation.ticket.id)
        return _mark_closed(situation.ticket)


def _mark_closed(ticket: Ticket) -> AfterDelivery:
    async def record(transaction: Transaction) -> None:
        closed = await tickets.mark_closed(transaction.connection, ticket.id)
        if closed is None:
            return
        _, late_ms = closed
        await message_changes.delete_of(transaction.connection, [ticket.id])
        await events.add(
            transaction.connection, ticket.id, "closed", ticket.closed_by_id, late_ms=late_ms
        )
        transaction.touch(TICKET, ticket.id)
        if ticket.close_cause is CloseCause.EXPIRED:
            transaction.after_commit(say)

    async def say() -> None:
        log.info("✅ Successfully auto-closed ticket %s", ticket.id)

    return record
