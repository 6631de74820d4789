"""`/closerequest` and `/close`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import discord
from discord import app_commands

from cogs.cog import TicketCog, answering_errors
from cogs.permissions import require_opener_or_support, require_support
from cogs.replies import reply_ephemeral_if_possible
from cogs.text import when
from domains.ticket_lifecycle.close_delay import SUGGESTIONS, parse_close_delay
from domains.ticket_lifecycle.models import CloseRequest, Ticket
from domains.ticket_lifecycle.text_input import MAX_REASON_LENGTH

Reason = app_commands.Range[str, 1, MAX_REASON_LENGTH]


class CloseCommands(TicketCog, name="Punctual: closing"):
    @app_commands.command(description="Ask the member whether this ticket may be closed")
    @app_commands.describe(
        reason="Why it can be closed",
        close_delay="Close by itself if the member stays silent: 30m, 24 (hours), 3d; 0 is never",
    )
    @app_commands.guild_only()
    @answering_errors
    async def closerequest(
        self,
        interaction: discord.Interaction[Any],
        reason: Reason | None = None,
        close_delay: str | None = None,
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        ticket, guild = await self.ticket_here(interaction)
        require_support(interaction, guild)
        delay = parse_close_delay(close_delay, self.tickets.policy.min_close_delay)
        hours = delay / timedelta(hours=1) if delay else None
        request, job_id = await self.tickets.ask_to_close(
            ticket.id, interaction.user.id, reason, hours
        )
        cannot_wait = (
            self.tickets.cannot_wait(request, job_id) and not ticket.exclude_from_autoclose
        )
        reply = _reply(ticket, request, scheduled=job_id is not None, cannot_wait=cannot_wait)
        await reply_ephemeral_if_possible(interaction, reply)
        if cannot_wait:
            await self.tickets.close_without_waiting(request)

    @closerequest.autocomplete("close_delay")
    async def suggest_delay(
        self,
        interaction: discord.Interaction[Any],  # noqa: ARG002  # discord.py's signature
        current: str,
    ) -> list[app_commands.Choice[str]]:
        typed = current.strip()
        matching = [delay for delay in SUGGESTIONS if delay.startswith(typed.lower())]
        if typed and typed not in matching:
            matching.insert(0, typed[:100])
        return [app_commands.Choice(name=delay, value=delay) for delay in matching]

    @app_commands.command(description="Close this ticket")
    @app_commands.describe(reason="Why, for the log and the member")
    @app_commands.guild_only()
    @answering_errors
    async def close(
        self, interaction: discord.Interaction[Any], reason: Reason | None = None
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        ticket, guild = await self.ticket_here(interaction)
        require_opener_or_support(interaction, guild, ticket)
        await self.tickets.begin_close(ticket.id, interaction.user.id, reason)
        await reply_ephemeral_if_possible(interaction, "The ticket is being closed.")
        await self.tickets.finish_close(ticket.id)


def _reply(ticket: Ticket, request: CloseRequest, *, scheduled: bool, cannot_wait: bool) -> str:
    """Says what happened, and what will."""
    if not request.is_asked:
        return (
            "Discord does not take the question at the moment. It is posted as soon as Discord "
            "does; the time until the ticket closes begins then."
        )
    if request.auto_close_at is None:
        return "Asked. It closes only when the member accepts."
    if ticket.exclude_from_autoclose:
        return (
            "Asked, but this ticket is excluded from auto-close: it closes only when the "
            "member accepts. `/autoclose include` starts the timer."
        )
    if cannot_wait:
        return (
            "Redis is not available, so there is no timer; as set by "
            "`AUTO_CLOSE_WITHOUT_REDIS=immediate`, the ticket is closed at once."
        )
    reply = f"Asked. It closes {when(request.auto_close_at)} unless the member answers."
    if not scheduled:
        reply += (
            "\nRedis is not available at the moment; the deadline is kept in the database "
            "and still holds, within a minute."
        )
    return reply
