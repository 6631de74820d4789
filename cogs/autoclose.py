"""`/autoclose`: the timer of one ticket, off, on, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands

from cogs.cards.blocks import BLUE
from cogs.close_blockers import close_blocker
from cogs.cog import TicketCog, answering_errors, guild_id_of
from cogs.command_texts import described
from cogs.permissions import require_manager, require_support
from cogs.replies import reply_ephemeral
from cogs.text import NO_MENTIONS, DiscordStyle, escape, when
from cogs.ticket_history import add_history, timer_words
from domains.scheduled_task import ScheduledTask
from domains.scheduled_task.scheduled_task import AUTO_CLOSE
from domains.scheduled_task.timer import Timer
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.explanation import Outlook
from domains.ticket_lifecycle.wording import outlook_words
from locales import DEFAULT_LOCALE


class AutoCloseCommands(TicketCog, name="Punctual: autoclose"):
    group = app_commands.Group(
        name="autoclose", description=described("autoclose"), guild_only=True
    )

    def __init__(self, tickets: TicketLifecycle, scheduled_task: ScheduledTask) -> None:
        super().__init__(tickets)
        self._scheduled_task = scheduled_task

    @group.command(description=described("autoclose.exclude"))
    @answering_errors
    async def exclude(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True)
        ticket, guild = await self.ticket_here(interaction)
        require_support(interaction, guild)
        request = await self.tickets.exclude_from_autoclose(ticket.id, interaction.user.id)
        await reply_ephemeral(
            interaction,
            "This ticket is excluded from auto-close."
            + (" The running timer is off." if request else ""),
        )

    @group.command(description=described("autoclose.include"))
    @answering_errors
    async def include(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True)
        ticket, guild = await self.ticket_here(interaction)
        require_support(interaction, guild)
        request = await self.tickets.include_in_autoclose(ticket.id, interaction.user.id)
        text = "This ticket is included in auto-close again."
        if request is not None and request.auto_close_at is not None:
            text += f" The pending request closes it {when(request.auto_close_at)}."
        await reply_ephemeral(interaction, text)

    @group.command(description=described("autoclose.status"))
    @answering_errors
    async def status(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True)
        ticket, guild = await self.ticket_here(interaction)
        require_support(interaction, guild)
        explanation = await self.tickets.explain(ticket.id)
        assert explanation is not None
        text = outlook_words(explanation, DiscordStyle(DEFAULT_LOCALE))
        if (blocker := close_blocker(interaction.guild, ticket, guild)) is not None and (
            explanation.outlook not in (Outlook.CLOSED, Outlook.NEEDS_ATTENTION)
        ):
            text += f"\nThe close will need a person unless this is mended: {escape(blocker)}."
        for timer in await self._other_timers(ticket.id):
            text += f"\n{timer_words(timer)}"
        if not self._scheduled_task.available:
            text += (
                "\nRedis is not available at the moment: deadlines are kept in the database and "
                "honoured within a minute."
            )
        events = await self.tickets.events(ticket.id)
        embed = discord.Embed(title=f"Auto-close of #{ticket.name}", description=text, colour=BLUE)
        add_history(embed, events)
        await interaction.followup.send(embed=embed, ephemeral=True, allowed_mentions=NO_MENTIONS)

    async def _other_timers(self, ticket_id: int) -> Sequence[Timer]:
        kinds = [kind for kind in self._scheduled_task.kinds if kind.name != AUTO_CLOSE]
        return await self._scheduled_task.timers.of_owners(kinds, [ticket_id]) if kinds else ()

    @group.command(description=described("autoclose.replies"))
    @app_commands.describe(keep_open=described("autoclose.replies.keep_open"))
    @answering_errors
    async def replies(self, interaction: discord.Interaction[Any], keep_open: bool) -> None:
        await interaction.response.defer(ephemeral=True)
        require_manager(interaction)
        await self.tickets.change_guild_settings(
            guild_id_of(interaction), reply_keeps_open=keep_open
        )
        await reply_ephemeral(
            interaction,
            "A member's message now stops the timer of a close request."
            if keep_open
            else "A member's message no longer stops the timer: only the buttons do.",
        )
