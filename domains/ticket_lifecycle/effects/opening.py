"""A ticket's channel, and its first message."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import ClassVar

from domains.database import Transaction
from domains.effects.effect import AfterDelivery, GaveUpError
from domains.ticket_lifecycle.channels import ChannelError, DiscordFailedError
from domains.ticket_lifecycle.effect_kinds import EffectKind
from domains.ticket_lifecycle.effects.ticket_effect import Situation, TicketEffect
from domains.ticket_lifecycle.models import Ticket, TicketStatus
from domains.ticket_lifecycle.store import events, requests, tickets
from domains.ticket_lifecycle.transitions import TICKET, sync_card

log = logging.getLogger(__name__)


class OpenChannel(TicketEffect):
    """A channel that cannot be made leaves no ticket behind."""

    kind: ClassVar[str] = EffectKind.OPEN_CHANNEL
    essential: ClassVar[bool] = True

    async def tell(self, situation: Situation) -> AfterDelivery | None:
        ticket = situation.ticket
        if ticket.channel_id is not None or ticket.status is not TicketStatus.OPEN:
            return None
        try:
            channel_id = await self._make(situation)
        except DiscordFailedError as error:
            if situation.posting.again:
                raise  # nobody waits, and the channel may be there
            await self._take_back(ticket.id)
            raise GaveUpError from error
        except ChannelError as error:
            await self._take_back(ticket.id)
            raise GaveUpError from error
        if channel_id is None:
            log.info("Ticket %s never got its channel and is taken back", ticket.id)
            await self._take_back(ticket.id)
            return None
        if await self._was_taken_back(ticket):
            await self.services.channels.remove(replace(ticket, channel_id=channel_id))
            return None

        async def record(transaction: Transaction) -> None:
            connection = transaction.connection
            if await tickets.set_channel(connection, ticket.id, channel_id):
                await events.add(connection, ticket.id, "opened", ticket.opener_id)
            transaction.touch(TICKET, ticket.id)

        return record

    async def _make(self, situation: Situation) -> int | None:
        """None if it was to be made before a crash, and was not: its member has gone on."""
        channels, ticket = self.services.channels, situation.ticket
        if situation.posting.again:
            return await channels.find(ticket)
        try:
            return await channels.create(ticket, situation.guild)
        except DiscordFailedError:
            # Only the answer may have been lost.
            channel_id = await channels.find(ticket)
            if channel_id is None:
                raise
            return channel_id

    async def _was_taken_back(self, ticket: Ticket) -> bool:
        """By another process: this one was frozen while it made the channel."""
        async with self.services.database.connection() as connection:
            return await tickets.get(connection, ticket.id) is None

    async def _take_back(self, ticket_id: int) -> None:
        async with self.services.database.connection() as connection:
            await tickets.delete_without_channel(connection, ticket_id)


class Welcome(TicketEffect):
    kind: ClassVar[str] = EffectKind.WELCOME

    async def tell(self, situation: Situation) -> AfterDelivery | None:
        ticket = situation.ticket
        if ticket.status is not TicketStatus.OPEN:
            return None
        message_id = await self.services.channels.welcome(
            ticket, situation.guild, situation.posting
        )

        async def record(transaction: Transaction) -> None:
            connection = transaction.connection
            await tickets.set_card(connection, ticket.id, message_id)
            current = await tickets.get(connection, ticket.id)
            is_excluded = current is not None and current.exclude_from_autoclose
            if is_excluded or await requests.pending(connection, ticket.id) is not None:
                await sync_card(transaction, ticket.id)  # it tells of the state before

        return record
