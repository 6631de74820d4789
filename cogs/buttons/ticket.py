"""The buttons of a ticket's first message. Everybody in the channel sees all of them; who may press
which is checked when it is pressed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord

from cogs.buttons.id_button import ID, IdButton
from cogs.cards.blocks import Card
from cogs.closing import close_now
from cogs.language import reader
from cogs.permissions import require_opener_or_support, require_support
from cogs.screens import status_screen
from cogs.text import NO_MENTIONS
from cogs.ticket_forms import AskForm, CloseForm, require_its_ticket
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.errors import TicketNotOpenError
from domains.ticket_lifecycle.models import GuildSettings, Ticket, TicketStatus
from locales import text


class TicketButton(IdButton, template=r"ticket:never"):
    async def subject(
        self, interaction: discord.Interaction[Any], tickets: TicketLifecycle
    ) -> tuple[Ticket, GuildSettings]:
        """The ticket, which must be the one of this very channel."""
        ticket = await require_its_ticket(interaction, tickets, self.id_)
        return ticket, await tickets.guild_settings(ticket.guild_id)


class CloseButton(TicketButton, template=rf"ticket:card:close:{ID}"):
    """Asks first: what it does cannot be undone, and a finger slips."""

    PREFIX = "ticket:card:close"
    LABEL = "buttons.close"
    STYLE = discord.ButtonStyle.secondary

    async def press(self, interaction: discord.Interaction[Any], tickets: TicketLifecycle) -> None:
        ticket, guild = await self.subject(interaction, tickets)
        require_opener_or_support(interaction, guild, ticket)
        _require_open(ticket)
        locale = reader(interaction)
        card = Card()
        card.text(text("ticket.confirm_close", locale))
        card.actions(CloseNowButton(ticket.id, locale=locale))
        await interaction.response.send_message(
            view=card, ephemeral=True, allowed_mentions=NO_MENTIONS
        )


class CloseNowButton(TicketButton, template=rf"ticket:card:close_now:{ID}"):
    """Only the one who was asked sees it."""

    PREFIX = "ticket:card:close_now"
    LABEL = "buttons.close_now"
    STYLE = discord.ButtonStyle.danger

    async def press(self, interaction: discord.Interaction[Any], tickets: TicketLifecycle) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        ticket, guild = await self.subject(interaction, tickets)
        require_opener_or_support(interaction, guild, ticket)
        await close_now(interaction, tickets, ticket)


class FormButton(TicketButton, template=r"ticket:never"):
    """For support: what is written in its form is checked again."""

    FORM: type[CloseForm | AskForm]

    async def press(self, interaction: discord.Interaction[Any], tickets: TicketLifecycle) -> None:
        ticket, guild = await self.subject(interaction, tickets)
        require_support(interaction, guild, ticket)
        _require_open(ticket)
        await interaction.response.send_modal(self.FORM(interaction, ticket.id))


class CloseWithReasonButton(FormButton, template=rf"ticket:card:close_reason:{ID}"):
    PREFIX = "ticket:card:close_reason"
    LABEL = "buttons.close_with_reason"
    STYLE = discord.ButtonStyle.secondary
    FORM = CloseForm


class AskButton(FormButton, template=rf"ticket:card:ask:{ID}"):
    PREFIX = "ticket:card:ask"
    LABEL = "buttons.ask"
    STYLE = discord.ButtonStyle.primary
    FORM = AskForm


class InfoButton(TicketButton, template=rf"ticket:card:info:{ID}"):
    """Will it close, when, and why (not)?"""

    PREFIX = "ticket:card:info"
    LABEL = "buttons.info"
    STYLE = discord.ButtonStyle.secondary

    async def press(self, interaction: discord.Interaction[Any], tickets: TicketLifecycle) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        ticket, guild = await self.subject(interaction, tickets)
        require_opener_or_support(interaction, guild, ticket)
        await status_screen(interaction).show_status(interaction, ticket, guild)


def ticket_buttons(ticket_id: int, locale: str) -> Sequence[IdButton]:
    kinds: tuple[type[TicketButton], ...] = (
        CloseButton,
        CloseWithReasonButton,
        AskButton,
        InfoButton,
    )
    return [kind(ticket_id, locale=locale) for kind in kinds]


def _require_open(ticket: Ticket) -> None:
    if ticket.status is not TicketStatus.OPEN:
        raise TicketNotOpenError(ticket)
