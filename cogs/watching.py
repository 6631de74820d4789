"""What the gateway tells: the opener wrote, a channel was deleted, Discord is away or back."""

from __future__ import annotations

import logging

import discord
from discord.ext import commands

from cogs.cog import TicketCog
from domains.database import DatabaseUnavailable
from domains.outage_log import OutageLog
from domains.ticket_lifecycle import TicketLifecycle

log = logging.getLogger(__name__)


class Watching(TicketCog, name="Punctual: watching"):
    def __init__(self, tickets: TicketLifecycle) -> None:
        super().__init__(tickets)
        self._outage = OutageLog(
            log,
            "Messages cannot be noted while PostgreSQL is away; they are read at the deadline",
            "Messages are noted again",
        )

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        if message.guild is None or message.author.bot:
            return
        try:
            await self.tickets.note_opener_reply(
                message.guild.id, message.channel.id, message.author.id, message.id
            )
        except DatabaseUnavailable as error:
            self._outage.lost(error)
        else:
            self._outage.back()

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        await self._note_deleted(channel.guild.id, channel.id)

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        await self._note_deleted(payload.guild_id, payload.thread_id)

    @commands.Cog.listener()
    async def on_connect(self) -> None:
        """A new session, or the first."""
        self.tickets.discord_status.set(connected=True)

    @commands.Cog.listener()
    async def on_resumed(self) -> None:
        self.tickets.discord_status.set(connected=True)

    @commands.Cog.listener()
    async def on_disconnect(self) -> None:
        self.tickets.discord_status.set(connected=False)

    async def _note_deleted(self, guild_id: int, channel_id: int) -> None:
        try:
            await self.tickets.note_channel_deleted(guild_id, channel_id)
        except DatabaseUnavailable as error:
            self._outage.lost(error)
