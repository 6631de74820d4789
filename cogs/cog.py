"""What every cog of ours shares: the domain, and how errors are answered."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs.replies import answer_error
from domains.errors import UserError
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.models import GuildSettings, Ticket


class TicketCog(commands.Cog):
    def __init__(self, tickets: TicketLifecycle) -> None:
        self.tickets = tickets

    async def cog_app_command_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError
    ) -> None:
        await answer_error(interaction, error)

    async def ticket_here(
        self, interaction: discord.Interaction[Any]
    ) -> tuple[Ticket, GuildSettings]:
        """The ticket of the channel and its guild's settings. Raises TicketNotFound."""
        ticket = await self.tickets.require_ticket(interaction.guild_id, interaction.channel_id)
        return ticket, await self.tickets.guild_settings(ticket.guild_id)


class NotReadyError(UserError):
    def __init__(self) -> None:
        super().__init__("The ticket system is not ready yet. Try again in a minute.")


def lifecycle_of(interaction: discord.Interaction[Any]) -> TicketLifecycle:
    """For buttons, which are made anew at every press and know nothing but their custom_id."""
    for cog in interaction.client.cogs.values():
        if isinstance(cog, TicketCog):
            return cog.tickets
    raise NotReadyError
