"""`/doctor`: all that the bot needs in this server, and the sentence that fixes what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any, Final

import discord
from discord import app_commands
from discord.ext import commands

from cogs.cards.findings import findings_card
from cogs.cog import TicketCog, answering_errors
from cogs.command_texts import described
from cogs.findings import Finding, broken, fine, impaired
from cogs.language import reader
from cogs.permissions import require_manager
from cogs.server_checks import check_intents, check_server, check_setup
from cogs.text import NO_MENTIONS
from domains.database import DatabaseUnavailable
from domains.disk_space import DiskSpace
from domains.scheduled_task import ScheduledTask
from domains.ticket_lifecycle import TicketLifecycle
from locales import Text, milliseconds

LATE_MS: Final = 5_000
LAST_CLOSES: Final = 100


class Doctor(TicketCog, name="Punctual: doctor"):
    def __init__(
        self,
        bot: commands.Bot,
        tickets: TicketLifecycle,
        scheduled_task: ScheduledTask,
        disk_space: DiskSpace,
    ) -> None:
        super().__init__(tickets)
        self._disk_space = disk_space
        self._bot = bot
        self._scheduled_task = scheduled_task

    @app_commands.command(description=described("doctor"))
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @answering_errors
    async def doctor(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True)
        require_manager(interaction)
        server = interaction.guild
        assert server is not None
        locale = reader(interaction)
        card = findings_card(await self._examine(server, locale), locale)
        await interaction.followup.send(view=card, ephemeral=True, allowed_mentions=NO_MENTIONS)

    async def _examine(self, server: discord.Guild, locale: str) -> Sequence[Finding]:
        findings = [self._redis(), *self._disk(), *check_intents(self._bot.intents)]
        sees_server = self._bot.intents.guilds
        if sees_server:
            findings += check_server(server)
        try:
            settings = await self.tickets.guild_settings(server.id)
            lateness = await self.tickets.recent_lateness(server.id, LAST_CLOSES)
            attention = await self.tickets.count_attention(server.id)
        except DatabaseUnavailable:
            findings.append(broken(Text("doctor.database_away"), Text("doctor.start_database")))
        else:
            findings += [fine(Text("doctor.database_answers")), _punctuality(lateness, locale)]
            findings += [*(check_setup(server, settings) if sees_server else ())]
            findings.append(_attention(attention))
        return findings

    def _redis(self) -> Finding:
        if self._scheduled_task.available:
            return fine(Text("doctor.redis_answers"))
        return impaired(Text("doctor.redis_away"), Text("doctor.start_redis"))

    def _disk(self) -> Iterator[Finding]:
        if problem := self._disk_space.problem:
            yield broken(Text("doctor.disk_full", {"problem": problem}), Text("doctor.make_room"))


def _punctuality(lateness: Sequence[int], locale: str) -> Finding:
    if not lateness:
        return fine(Text("doctor.no_timed_close"))
    worst = max(lateness)
    values = {
        "count": len(lateness),
        "half": milliseconds(median(lateness), locale),
        "worst": milliseconds(worst, locale),
    }
    if worst <= LATE_MS:
        return fine(Text("doctor.punctual", values))
    return impaired(Text("doctor.punctual", values), Text("doctor.look_for_late"))


def _attention(count: int) -> Finding:
    if not count:
        return fine(Text("doctor.no_attention"))
    return impaired(Text("doctor.attention", {"count": count}), Text("doctor.see_timers"))
