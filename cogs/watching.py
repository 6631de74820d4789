"""What the gateway tells: the opener wrote, a channel was deleted, Discord is away or back."""

from __future__ import annotations

import logging

import discord
from discord.ext import commands

from cogs.cog import TicketCog
from cogs.ticket_channels import is_marked
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
        """A message in a thread of a ticket is one in the ticket."""
        if message.guild is None or message.author.bot:
            return
        channel_ids = [message.channel.id]
        if isinstance(message.channel, discord.Thread):
            channel_ids.append(message.channel.parent_id)
        try:
            with self.tickets.discord_status.noting(message.guild.id):
                answered = [await self._note_reply(message, each) for each in channel_ids]
        except DatabaseUnavailable as error:
            self._outage.lost(error)
            return
        self._outage.back()
        for ticket_id in filter(None, answered):
            await self.tickets.tell(ticket_id)

    async def _note_reply(self, message: discord.Message, channel_id: int) -> int | None:
        """The ticket's id, if the message answered its request. Deadlines wait while it is noted,
        so nothing is told yet."""
        assert message.guild is not None
        place = message.guild.id, channel_id, message.author.id
        marked = is_marked(message.channel, self.tickets.installation_id)
        if not await self.tickets.channel_index.may_be_answer(*place, is_marked=marked):
            return None
        return await self.tickets.decide_opener_reply(*place, message.id)

    @commands.Cog.listener()
    async def on_guild_channel_update(
        self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        if not _can_read(before) and _can_read(after):
            self.tickets.discord_status.misses.note(after.guild.id)

    @commands.Cog.listener()
    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        if not _shows_channels(before) and _shows_channels(after):
            self.tickets.discord_status.misses.note(after.guild.id)

    @commands.Cog.listener()
    async def on_member_update(self, before: discord.Member, after: discord.Member) -> None:
        """Other roles: channels may have come into view, and what was said there was not heard."""
        if after == after.guild.me and before.roles != after.roles:
            self.tickets.discord_status.misses.note(after.guild.id)

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        await self._note_deleted(channel.guild.id, channel.id)

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        await self._note_deleted(payload.guild_id, payload.thread_id)

    @commands.Cog.listener()
    async def on_connect(self) -> None:
        """A new session, or the first: what was said in between has gone by."""
        self.tickets.discord_status.misses.note()
        self.tickets.discord_status.set(connected=True)

    @commands.Cog.listener()
    async def on_resumed(self) -> None:
        self.tickets.discord_status.set(connected=True)

    @commands.Cog.listener()
    async def on_disconnect(self) -> None:
        self.tickets.discord_status.set(connected=False)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """The bot has left, or was made to; an outage of Discord's is another event."""
        try:
            await self.tickets.note_server_left(guild.id)
        except DatabaseUnavailable as error:
            self._outage.lost(error)  # it is looked for again at the next session

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        try:
            await self.tickets.note_servers_present([guild.id])
        except DatabaseUnavailable as error:
            self._outage.lost(error)  # it is looked for again at the next session

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        self.tickets.discord_status.misses.note(guild.id)
        try:
            await self.tickets.note_server_available(guild.id)
        except DatabaseUnavailable as error:
            self._outage.lost(error)  # it goes on within seconds

    async def _note_deleted(self, guild_id: int, channel_id: int) -> None:
        try:
            await self.tickets.note_channel_deleted(guild_id, channel_id)
        except DatabaseUnavailable as error:
            self._outage.lost(error)


def _can_read(channel: discord.abc.GuildChannel) -> bool:
    return channel.permissions_for(channel.guild.me).read_messages


def _shows_channels(role: discord.Role) -> bool:
    return role.permissions.read_messages or role.permissions.administrator
