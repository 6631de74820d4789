"""`/autoclose`: the timer of one ticket, off, on, and why."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from cogs.cards.ticket_status import status_card
from cogs.cog import TicketCog, answering_errors, guild_id_of
from cogs.command_texts import described
from cogs.language import reader
from cogs.permissions import (
    is_support,
    require_manager,
    require_opener_or_support,
    require_support,
)
from cogs.replies import reply_ephemeral
from cogs.text import NO_MENTIONS, when
from cogs.ticket_state import read_state
from domains.scheduled_task import ScheduledTask
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.models import GuildSettings, Ticket
from locales import Text, text


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
        require_support(interaction, guild, ticket)
        request = await self.tickets.exclude_from_autoclose(ticket.id, interaction.user.id)
        key = "excluded_and_off" if request else "excluded"
        await reply_ephemeral(interaction, text(f"autoclose.{key}", reader(interaction)))

    @group.command(description=described("autoclose.include"))
    @answering_errors
    async def include(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True)
        ticket, guild = await self.ticket_here(interaction)
        require_support(interaction, guild, ticket)
        request = await self.tickets.include_in_autoclose(ticket.id, interaction.user.id)
        answer = Text("autoclose.included")
        if request is not None and request.auto_close_at is not None:
            answer = Text("autoclose.included_and_closes", {"at": when(request.auto_close_at)})
        await reply_ephemeral(interaction, answer.in_locale(reader(interaction)))

    @group.command(description=described("autoclose.status"))
    @answering_errors
    async def status(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True)
        ticket, guild = await self.ticket_here(interaction)
        require_opener_or_support(interaction, guild, ticket)
        await self.show_status(interaction, ticket, guild)

    async def show_status(
        self, interaction: discord.Interaction[Any], ticket: Ticket, guild: GuildSettings
    ) -> None:
        locale = reader(interaction)
        state = await read_state(
            self.tickets, self._scheduled_task, interaction.guild, ticket, guild, locale=locale
        )
        card = status_card(state, locale, for_support=is_support(interaction, guild))
        await interaction.followup.send(view=card, ephemeral=True, allowed_mentions=NO_MENTIONS)

    @group.command(description=described("autoclose.replies"))
    @app_commands.describe(keep_open=described("autoclose.replies.keep_open"))
    @answering_errors
    async def replies(self, interaction: discord.Interaction[Any], keep_open: bool) -> None:
        await interaction.response.defer(ephemeral=True)
        require_manager(interaction)
        await self.tickets.change_guild_settings(
            guild_id_of(interaction), reply_keeps_open=keep_open
        )
        key = "autoclose.replies_count" if keep_open else "autoclose.replies_do_not_count"
        await reply_ephemeral(interaction, text(key, reader(interaction)))
