"""`/closerequest` and `/close`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import discord
from discord import app_commands

from cogs.close_delay_choices import close_delay_choices
from cogs.cog import TicketCog, answering_errors
from cogs.command_texts import described
from cogs.language import reader
from cogs.permissions import require_opener_or_support, require_support
from cogs.replies import reply_ephemeral_if_possible
from cogs.text import when
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.close_delay import parse_close_delay
from domains.ticket_lifecycle.models import CloseRequest, Ticket
from domains.ticket_lifecycle.text_input import MAX_REASON_LENGTH
from locales import text

Reason = app_commands.Range[str, 1, MAX_REASON_LENGTH]


class CloseCommands(TicketCog, name="Punctual: closing"):
    @app_commands.command(description=described("closerequest"))
    @app_commands.describe(
        reason=described("closerequest.reason"),
        close_delay=described("closerequest.close_delay"),
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
        await ask_to_close(interaction, self.tickets, reason, close_delay)

    @closerequest.autocomplete("close_delay")
    async def suggest_delay(
        self, interaction: discord.Interaction[Any], current: str
    ) -> list[app_commands.Choice[str]]:
        shortest, now = self.tickets.policy.min_close_delay, discord.utils.utcnow()
        return close_delay_choices(current, shortest, now, reader(interaction))

    @app_commands.command(description=described("close"))
    @app_commands.describe(reason=described("close.reason"))
    @app_commands.guild_only()
    @answering_errors
    async def close(
        self, interaction: discord.Interaction[Any], reason: Reason | None = None
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        ticket, guild = await self.ticket_here(interaction)
        require_opener_or_support(interaction, guild, ticket)
        await close_now(interaction, self.tickets, ticket, reason)


async def close_now(
    interaction: discord.Interaction[Any],
    tickets: TicketLifecycle,
    ticket: Ticket,
    reason: str | None = None,
) -> None:
    """Who asks for it has been checked; the interaction has been deferred. It is answered while
    there still is a channel."""
    await tickets.begin_close(ticket.id, interaction.user.id, reason)
    said = text("closing.being_closed", reader(interaction))
    await reply_ephemeral_if_possible(interaction, said)
    await tickets.finish_close(ticket.id)


async def ask_to_close(
    interaction: discord.Interaction[Any],
    tickets: TicketLifecycle,
    reason: str | None,
    close_delay: str | None,
) -> None:
    """As support, in this ticket; the interaction has been deferred."""
    ticket = await tickets.require_ticket(interaction.guild_id, interaction.channel_id)
    require_support(interaction, await tickets.guild_settings(ticket.guild_id), ticket)
    delay = parse_close_delay(close_delay, tickets.policy.min_close_delay)
    hours = delay / timedelta(hours=1) if delay else None
    request, job_id = await tickets.ask_to_close(ticket.id, interaction.user.id, reason, hours)
    cannot_wait = tickets.cannot_wait(request, job_id) and not ticket.exclude_from_autoclose
    reply = _reply(
        ticket,
        request,
        reader(interaction),
        scheduled=job_id is not None,
        cannot_wait=cannot_wait,
    )
    await reply_ephemeral_if_possible(interaction, reply)
    if cannot_wait:
        await tickets.close_without_waiting(request)


def _reply(
    ticket: Ticket, request: CloseRequest, locale: str, *, scheduled: bool, cannot_wait: bool
) -> str:
    """Says what happened, and what will."""
    if not request.is_asked:
        return text("closing.asked_later", locale)
    if request.auto_close_at is None:
        return text("closing.asked", locale)
    if ticket.exclude_from_autoclose:
        return text("closing.asked_excluded", locale)
    if cannot_wait:
        return text("closing.at_once_without_redis", locale)
    asked = text("closing.asked_timed", locale, when=when(request.auto_close_at))
    return asked if scheduled else f"{asked}\n{text('closing.kept_without_redis', locale)}"
