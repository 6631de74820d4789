"""What every cog of ours shares: the domain, and how errors are answered."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from inspect import signature
from typing import Any, Concatenate, ParamSpec, TypeVar

import discord
from discord import app_commands
from discord.ext import commands

from cogs.replies import Interaction, answer_error
from domains.errors import UserError
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.models import GuildSettings, Ticket

P = ParamSpec("P")
CogT = TypeVar("CogT", bound=commands.Cog)
Answer = Callable[Concatenate[CogT, Interaction, P], Coroutine[Any, Any, None]]


def answering_errors(callback: Answer[CogT, P]) -> Answer[CogT, P]:
    """Answer here what a command raises: a host bot's own `tree.error` would answer it again."""

    @wraps(callback)
    async def answering(
        self: CogT, interaction: Interaction, *args: P.args, **kwargs: P.kwargs
    ) -> None:
        try:
            await callback(self, interaction, *args, **kwargs)
        except Exception as error:
            await answer_error(interaction, error)

    # discord.py would look up the names of the options' types in this module.
    setattr(answering, "__signature__", signature(callback, eval_str=True))  # noqa: B010
    return answering


class TicketCog(commands.Cog):
    def __init__(self, tickets: TicketLifecycle) -> None:
        self.tickets = tickets

    async def cog_app_command_error(
        self, interaction: Interaction, error: app_commands.AppCommandError
    ) -> None:
        """What is wrong before the command begins: a value, a check."""
        await answer_error(interaction, error)

    async def ticket_here(
        self, interaction: discord.Interaction[Any]
    ) -> tuple[Ticket, GuildSettings]:
        """The ticket of the channel and its guild's settings. Raises TicketNotFound."""
        ticket = await self.tickets.require_ticket(interaction.guild_id, interaction.channel_id)
        return ticket, await self.tickets.guild_settings(ticket.guild_id)


def guild_id_of(interaction: Interaction) -> int:
    """Raises ServerOnly in direct messages: where a command is offered is Discord's business."""
    if interaction.guild_id is None:
        raise ServerOnlyError
    return interaction.guild_id


class ServerOnlyError(UserError):
    def __init__(self) -> None:
        super().__init__("errors.server_only")


class NotReadyError(UserError):
    def __init__(self) -> None:
        super().__init__("errors.not_ready")


def lifecycle_of(interaction: discord.Interaction[Any]) -> TicketLifecycle:
    """For buttons, which are made anew at every press and know nothing but their custom_id."""
    for cog in interaction.client.cogs.values():
        if isinstance(cog, TicketCog):
            return cog.tickets
    raise NotReadyError
