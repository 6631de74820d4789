"""The forms behind the buttons of a ticket's first message."""

from __future__ import annotations

from typing import Any

import discord
from discord.ext import commands

from cogs.closing import ask_to_close, close_now
from cogs.cog import TicketCog
from cogs.forms import Form, submitted
from cogs.language import reader
from cogs.permissions import require_support
from cogs.replies import answer_error
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.errors import TicketNotFoundError
from domains.ticket_lifecycle.models import Ticket
from domains.ticket_lifecycle.text_input import MAX_REASON_LENGTH
from locales import text

MAX_DELAY_LENGTH = 50


class CloseForm(Form):
    PREFIX = "ticket:card:close_form"

    def __init__(self, interaction: discord.Interaction[Any], ticket_id: int) -> None:
        locale = reader(interaction)
        super().__init__(interaction, text("ticket.close_form", locale), ticket_id)
        self.add_item(_reason(locale, "ticket.why_close", required=True))


class AskForm(Form):
    PREFIX = "ticket:card:ask_form"

    def __init__(self, interaction: discord.Interaction[Any], ticket_id: int) -> None:
        locale = reader(interaction)
        super().__init__(interaction, text("ticket.ask_form", locale), ticket_id)
        self.add_item(_reason(locale, "ticket.why_ask", required=False))
        self.add_item(
            discord.ui.Label[Any](
                text=text("ticket.delay", locale),
                description=text("ticket.delay_hint", locale),
                component=discord.ui.TextInput[Any](
                    custom_id="delay",
                    placeholder="24h",
                    max_length=MAX_DELAY_LENGTH,
                    required=False,
                ),
            )
        )


def _reason(locale: str, why: str, *, required: bool) -> discord.ui.Label[Any]:
    return discord.ui.Label[Any](
        text=text("ticket.reason", locale),
        description=text(why, locale),
        component=discord.ui.TextInput[Any](
            custom_id="reason",
            style=discord.TextStyle.paragraph,
            max_length=MAX_REASON_LENGTH,
            required=required,
        ),
    )


class TicketForms(TicketCog, name="Punctual: ticket forms"):
    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        try:
            if (closing := submitted(interaction, CloseForm)) is not None:
                await interaction.response.defer(ephemeral=True, thinking=True)
                await self._close(interaction, *closing.about, reason=closing.values["reason"])
            elif (asking := submitted(interaction, AskForm)) is not None:
                await interaction.response.defer(ephemeral=True, thinking=True)
                await require_its_ticket(interaction, self.tickets, *asking.about)
                reason, delay = asking.values["reason"], asking.values["delay"]
                await ask_to_close(interaction, self.tickets, reason, delay)
        except Exception as error:
            await answer_error(interaction, error)

    async def _close(
        self, interaction: discord.Interaction[Any], ticket_id: int, *, reason: str
    ) -> None:
        ticket = await require_its_ticket(interaction, self.tickets, ticket_id)
        guild = await self.tickets.guild_settings(ticket.guild_id)
        require_support(interaction, guild, ticket)
        await close_now(interaction, self.tickets, ticket, reason)


async def require_its_ticket(
    interaction: discord.Interaction[Any], tickets: TicketLifecycle, ticket_id: int
) -> Ticket:
    """What a button or a form of a ticket's first message is about must be the ticket of this very
    channel. Raises TicketNotFound."""
    ticket = await tickets.require_ticket(interaction.guild_id, interaction.channel_id)
    if ticket.id != ticket_id:
        raise TicketNotFoundError
    return ticket
