"""What was said in a ticket, and who said it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import aiohttp
import discord

from cogs.cdn import read_file
from cogs.language import of_server
from cogs.ticket_channels.places import Places, messages_of
from cogs.ticket_channels.threads import private_archived, with_threads
from cogs.transcript_messages import transcript_message
from domains.error_codes import one_line
from domains.ticket_lifecycle.channels import DiscordAwayError, TicketNames
from domains.ticket_lifecycle.models import GuildSettings, Ticket
from domains.transcripts import Attachment, DownloadFailed, TranscriptMessage
from locales import Text


class ReadingChannels(Places):
    async def is_current(self) -> bool:
        return await self._probe.is_current()

    async def opener_wrote_after(self, ticket: Ticket, message_id: int) -> int | None:
        channel = await self._channel(ticket)
        async for place in with_threads(channel):
            async for message in messages_of(place, limit=None, after=message_id):
                if message.author.id == ticket.opener_id:
                    return message.id
        return None

    async def names(
        self, ticket: Ticket, guild: GuildSettings, asked_by_id: int | None
    ) -> TicketNames:
        channel = await self._channel(ticket)
        server, closed_by_id = channel.guild, ticket.closed_by_id
        locale = of_server(guild, server)
        return TicketNames(
            guild=server.name,
            channel=channel.name,
            opener=await self._name_of(server, ticket.opener_id, locale),
            closed_by=await self._name_of(server, closed_by_id, locale) if closed_by_id else None,
            asked_by=await self._name_of(server, asked_by_id, locale) if asked_by_id else None,
            locale=locale,
        )

    async def history(self, ticket: Ticket) -> AsyncIterator[TranscriptMessage]:
        channel = await self._channel(ticket)
        has_private = False
        for places in (with_threads(channel), private_archived(channel)):
            async for place in places:
                has_private |= place != channel and place.type is discord.ChannelType.private_thread
                async for message in messages_of(place, limit=None, after=0):
                    yield transcript_message(message)
        self._private_threads.note(ticket.id, has_private)

    async def download(self, attachment: Attachment) -> AsyncIterator[bytes]:
        try:
            async with aclosing(read_file(self._bot.http, attachment.url)) as pieces:
                async for piece in pieces:
                    yield piece
        except (aiohttp.ClientError, OSError) as error:
            # Nothing answered: that may be this one server, or the whole network.
            if not await self.is_current():
                raise DiscordAwayError(f"the network is away: {one_line(error)}") from error
            failed = Text("transcript.missed_failed", {"error": one_line(error)})
            raise DownloadFailed(failed) from error
