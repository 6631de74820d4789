"""Starts what needs Discord, once Discord is ready."""

from __future__ import annotations

import logging

import discord
from discord.ext import commands

from cogs.cog import TicketCog
from domains.database import DatabaseUnavailable
from domains.effects import EffectRunner
from domains.scheduled_task import ScheduledTask
from domains.ticket_lifecycle import TicketLifecycle

log = logging.getLogger(__name__)


class Scheduling(TicketCog, name="Punctual: scheduling"):
    def __init__(
        self,
        bot: commands.Bot,
        tickets: TicketLifecycle,
        scheduled_task: ScheduledTask,
        effects: EffectRunner,
    ) -> None:
        super().__init__(tickets)
        self._bot = bot
        self._scheduled_task = scheduled_task
        self._effects = effects

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Discord says so at every new session, so all of this may be done many times."""
        await self._scheduled_task.initialize()
        self._effects.start()
        try:
            await self.tickets.channel_index.load()
            await self.tickets.note_servers_present([guild.id for guild in self._bot.guilds])
            await self._end_tickets_of_left_servers()
            await self.tickets.cleanup.plan()
        except DatabaseUnavailable as error:
            log.warning(
                "PostgreSQL is away; servers that were left are looked for later: %s", error
            )
        await self._scheduled_task.cleanup_orphaned_jobs()
        await self._scheduled_task.reconcile()

    async def _end_tickets_of_left_servers(self) -> None:
        """Servers that the bot has left while it was away. Discord has the last word."""
        for guild_id in await self.tickets.known_guilds():
            if self._bot.get_guild(guild_id) is None and await self._has_left(guild_id):
                await self.tickets.note_server_left(guild_id)

    async def _has_left(self, guild_id: int) -> bool:
        try:
            await self._bot.fetch_guild(guild_id, with_counts=False)
        except (discord.NotFound, discord.Forbidden):
            return True
        except Exception as error:
            log.info("Whether the bot has left guild %s is not known: %s", guild_id, error)
        return False
