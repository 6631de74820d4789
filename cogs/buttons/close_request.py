"""The buttons of a close request. Of the three, none is red: what is dangerous is not to press
one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord

from cogs.buttons.id_button import ID, IdButton
from cogs.permissions import require_opener_or_support
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.errors import TicketNotFoundError
from domains.ticket_lifecycle.models import CloseRequest, Ticket
from locales import DEFAULT_LOCALE


class CloseRequestButton(IdButton, template=r"ticket:never"):
    async def subject(
        self, interaction: discord.Interaction[Any], tickets: TicketLifecycle
    ) -> tuple[Ticket, CloseRequest]:
        """The request and its ticket, which must be the one of this very channel."""
        ticket = await tickets.require_ticket(interaction.guild_id, interaction.channel_id)
        request = await tickets.close_request(self.id_)
        if request is None or request.ticket_id != ticket.id:
            raise TicketNotFoundError
        return ticket, request


class AcceptButton(CloseRequestButton, template=rf"ticket:close_request:accept:{ID}"):
    PREFIX = "ticket:close_request:accept"
    LABEL = "buttons.accept"
    STYLE = discord.ButtonStyle.primary

    async def press(self, interaction: discord.Interaction[Any], tickets: TicketLifecycle) -> None:
        await interaction.response.defer()
        ticket, request = await self.subject(interaction, tickets)
        await tickets.accept_close_request(ticket.id, interaction.user.id, request.id)


class DenyButton(CloseRequestButton, template=rf"ticket:close_request:deny:{ID}"):
    PREFIX = "ticket:close_request:deny"
    LABEL = "buttons.deny"
    STYLE = discord.ButtonStyle.secondary

    async def press(self, interaction: discord.Interaction[Any], tickets: TicketLifecycle) -> None:
        await interaction.response.defer()
        ticket, request = await self.subject(interaction, tickets)
        guild = await tickets.guild_settings(ticket.guild_id)
        require_opener_or_support(interaction, guild, ticket)
        await tickets.cancel_close_request(ticket.id, interaction.user.id, request.id)


class ExtendButton(
    CloseRequestButton,
    template=rf"ticket:close_request:extend:{ID}(:(?P<extensions>[0-9]{{1,9}}))?",
):
    """Knows how often the deadline it stands below was moved: two clicks at once move it once.
    On messages of older versions it does not."""

    PREFIX = "ticket:close_request:extend"
    LABEL = "buttons.extend"
    STYLE = discord.ButtonStyle.secondary

    def __init__(
        self, id_: int, extensions: int | None = None, *, locale: str = DEFAULT_LOCALE
    ) -> None:
        super().__init__(id_, *(() if extensions is None else (extensions,)), locale=locale)
        self.extensions = extensions

    async def press(self, interaction: discord.Interaction[Any], tickets: TicketLifecycle) -> None:
        await interaction.response.defer()
        ticket, request = await self.subject(interaction, tickets)
        await tickets.ask_for_more_time(ticket.id, interaction.user.id, request.id, self.extensions)


def accept_custom_id(close_request_id: int) -> str:
    return f"{AcceptButton.PREFIX}:{close_request_id}"


def close_request_buttons(
    request: CloseRequest, locale: str, *, max_extensions: int
) -> Sequence[IdButton]:
    """`Need more time` only where there is a timer, and more time to be had."""
    buttons: list[IdButton] = [
        AcceptButton(request.id, locale=locale),
        DenyButton(request.id, locale=locale),
    ]
    if request.auto_close_at is not None and request.extensions < max_extensions:
        buttons.append(ExtendButton(request.id, request.extensions, locale=locale))
    return buttons
