"""What buttons lead to. A button is made anew at every press and knows only its custom_id, so it
looks for the cog that has what it needs."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import discord

from cogs.cog import NotReadyError
from domains.ticket_lifecycle.models import GuildSettings, Ticket


@runtime_checkable
class StatusScreen(Protocol):
    async def show_status(
        self, interaction: discord.Interaction[Any], ticket: Ticket, guild: GuildSettings
    ) -> None:
        """Answers privately whether the ticket closes, when, and why (not)."""
        ...


@runtime_checkable
class TimerScreens(Protocol):
    """Each takes the place of the message whose button was pressed."""

    async def show_page(self, interaction: discord.Interaction[Any], number: int) -> None: ...

    async def show_ticket(
        self, interaction: discord.Interaction[Any], ticket: Ticket, page: int, note: str = ""
    ) -> None: ...


def status_screen(interaction: discord.Interaction[Any]) -> StatusScreen:
    for cog in interaction.client.cogs.values():
        if isinstance(cog, StatusScreen):
            return cog
    raise NotReadyError


def timer_screens(interaction: discord.Interaction[Any]) -> TimerScreens:
    for cog in interaction.client.cogs.values():
        if isinstance(cog, TimerScreens):
            return cog
    raise NotReadyError
