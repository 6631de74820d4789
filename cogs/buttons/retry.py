"""The button below a call for a person."""

from __future__ import annotations

from typing import Any

import discord

from cogs.buttons.id_button import ID, IdButton, ticket_of_server
from cogs.language import reader
from cogs.permissions import require_support
from cogs.replies import reply_ephemeral_if_possible
from cogs.text import DiscordStyle
from domains.formatting import reason_words
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.models import Ticket, TicketStatus
from locales import text


class RetryButton(IdButton, template=rf"ticket:close:retry:{ID}"):
    PREFIX = "ticket:close:retry"
    LABEL = "buttons.retry"
    STYLE = discord.ButtonStyle.primary

    async def press(self, interaction: discord.Interaction[Any], tickets: TicketLifecycle) -> None:
        await interaction.response.defer(ephemeral=True)
        ticket = await ticket_of_server(interaction, tickets, self.id_)
        require_support(interaction, await tickets.guild_settings(ticket.guild_id))
        tried = await tickets.retry_close(ticket.id, interaction.user.id)
        await reply_ephemeral_if_possible(interaction, _result(tried, reader(interaction)))


def _result(ticket: Ticket | None, locale: str) -> str:
    if ticket is None or ticket.status is TicketStatus.CLOSED:
        return text("attention.retried_closed", locale)
    if ticket.attention is None:
        return text("attention.retried_well", locale)
    why = reason_words(ticket.attention, DiscordStyle(locale))
    return text("attention.retried_in_vain", locale, why=why)
