"""What members delete and edit in a ticket, for its transcript.

Discord does not say what a message said before: that is known as long as discord.py remembers the
message, which is one of the last thousand that the bot has seen since it was started.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import discord
from discord.ext import commands

from cogs.cog import TicketCog
from cogs.ticket_channels import is_marked
from cogs.transcript_messages import thread_of, transcript_message
from domains.database import DatabaseUnavailable
from domains.outage_log import OutageLog
from domains.ticket_lifecycle import TicketLifecycle
from domains.transcripts import ChangeKind, MessageChange

log = logging.getLogger(__name__)


class MessageChanges(TicketCog, name="Punctual: message changes"):
    def __init__(self, bot: commands.Bot, tickets: TicketLifecycle) -> None:
        super().__init__(tickets)
        self._bot = bot
        self._outage = OutageLog(
            log,
            "Deleted and edited messages cannot be kept while PostgreSQL is away",
            "Deleted and edited messages are kept again",
        )

    @commands.Cog.listener()
    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Without the earlier text there is nothing to keep: that it was edited can be seen."""
        before = payload.cached_message
        if before is not None and before.content != payload.message.content:
            channel = payload.message.channel
            await self._note(ChangeKind.EDITED, channel, [before.id], [before])

    @commands.Cog.listener()
    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        known = [payload.cached_message] if payload.cached_message else []
        channel = self._bot.get_channel(payload.channel_id)
        await self._note(ChangeKind.DELETED, channel, [payload.message_id], known)

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        channel, ids = self._bot.get_channel(payload.channel_id), sorted(payload.message_ids)
        await self._note(ChangeKind.DELETED, channel, ids, payload.cached_messages)

    async def _note(
        self,
        kind: ChangeKind,
        channel: object,
        message_ids: Sequence[int],
        known: Sequence[discord.Message],
    ) -> None:
        if not isinstance(channel, (discord.TextChannel, discord.Thread)):
            return
        messages = {message.id: message for message in known}
        try:
            for ticket_channel_id in await self._possible_tickets(channel):
                for message_id in message_ids:
                    message = messages.get(message_id)
                    if message is not None and message.author.bot:
                        continue  # ours mostly, which tell what the database says
                    await self.tickets.note_message_change(
                        channel.guild.id,
                        ticket_channel_id,
                        _change(kind, channel, message_id, message),
                    )
        except DatabaseUnavailable as error:
            self._outage.lost(error)
        else:
            self._outage.back()

    async def _possible_tickets(self, channel: discord.TextChannel | discord.Thread) -> list[int]:
        ids = [channel.id]
        if isinstance(channel, discord.Thread):
            ids.append(channel.parent_id)
        marked = is_marked(channel, self.tickets.installation_id)
        index = self.tickets.channel_index
        return [
            channel_id
            for channel_id in ids
            if await index.may_be_ticket(channel.guild.id, channel_id, is_marked=marked)
        ]


def _change(
    kind: ChangeKind, channel: object, message_id: int, message: discord.Message | None
) -> MessageChange:
    before = transcript_message(message) if message is not None else None
    return MessageChange(
        kind=kind,
        message_id=message_id,
        thread=thread_of(channel),
        at=discord.utils.utcnow(),
        sent_at=discord.utils.snowflake_time(message_id),
        author_id=before.author_id if before else None,
        author_name=before.author_name if before else None,
        content=before.content if before else None,
        mentions=before.mentions if before else {},
        filenames=tuple(each.filename for each in before.attachments) if before else (),
    )
