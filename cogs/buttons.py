"""The buttons. Each carries in its custom_id what it is about, so it works after any restart and
an old message cannot act on a new request."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Any, Self

import discord

from cogs.cog import lifecycle_of
from cogs.permissions import require_opener_or_support, require_support
from cogs.replies import answer_error, reply_ephemeral_if_possible
from cogs.text import DiscordStyle
from domains.formatting import reason_words
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.errors import TicketNotFoundError
from domains.ticket_lifecycle.models import CloseRequest, Ticket, TicketStatus
from locales import DEFAULT_LOCALE

ID = r"(?P<id>[0-9]{1,18})"


class IdButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"ticket:never"):
    """A button whose custom_id ends in an id, or in more numbers: what `__init__` takes.

    discord.py only logs what a DynamicItem's callback raises, and the user sees "interaction
    failed"; so errors are caught and answered here, once for all.
    """

    PREFIX: str
    LABEL: str
    STYLE: discord.ButtonStyle

    def __init__(self, id_: int, *more: int) -> None:
        self.id_ = id_
        custom_id = ":".join([self.PREFIX, *map(str, (id_, *more))])
        super().__init__(discord.ui.Button(label=self.LABEL, style=self.STYLE, custom_id=custom_id))

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003  # discord.py's signature
        item: discord.ui.Item[Any],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        return cls(*(int(value) for value in match.groupdict().values() if value is not None))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        try:
            await self.press(interaction, lifecycle_of(interaction))
        except Exception as error:
            await answer_error(interaction, error)

    @abstractmethod
    async def press(
        self, interaction: discord.Interaction[Any], tickets: TicketLifecycle
    ) -> None: ...


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
    LABEL = "Accept & Close"
    STYLE = discord.ButtonStyle.success

    async def press(self, interaction: discord.Interaction[Any], tickets: TicketLifecycle) -> None:
        await interaction.response.defer()
        ticket, request = await self.subject(interaction, tickets)
        await tickets.accept_close_request(ticket.id, interaction.user.id, request.id)


class DenyButton(CloseRequestButton, template=rf"ticket:close_request:deny:{ID}"):
    PREFIX = "ticket:close_request:deny"
    LABEL = "Deny & Keep Open"
    STYLE = discord.ButtonStyle.danger

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
    LABEL = "Need more time"
    STYLE = discord.ButtonStyle.secondary

    def __init__(self, id_: int, extensions: int | None = None) -> None:
        super().__init__(id_, *(() if extensions is None else (extensions,)))
        self.extensions = extensions

    async def press(self, interaction: discord.Interaction[Any], tickets: TicketLifecycle) -> None:
        await interaction.response.defer()
        ticket, request = await self.subject(interaction, tickets)
        await tickets.ask_for_more_time(ticket.id, interaction.user.id, request.id, self.extensions)


class RetryButton(IdButton, template=rf"ticket:close:retry:{ID}"):
    PREFIX = "ticket:close:retry"
    LABEL = "Retry"
    STYLE = discord.ButtonStyle.primary

    async def press(self, interaction: discord.Interaction[Any], tickets: TicketLifecycle) -> None:
        await interaction.response.defer(ephemeral=True)
        ticket = await tickets.ticket(self.id_)
        if ticket is None or ticket.guild_id != interaction.guild_id:
            raise TicketNotFoundError
        require_support(interaction, await tickets.guild_settings(ticket.guild_id))
        tried = await tickets.retry_close(ticket.id, interaction.user.id)
        await reply_ephemeral_if_possible(interaction, _result(tried))


def _result(ticket: Ticket | None) -> str:
    if ticket is None or ticket.status is TicketStatus.CLOSED:
        return "Tried again: the ticket is closed."
    if ticket.attention is None:
        return "Tried again: nothing stands in its way any more."
    why = reason_words(ticket.attention, DiscordStyle(DEFAULT_LOCALE))
    return f"It still cannot be closed: {why}."


BUTTONS: tuple[type[IdButton], ...] = (AcceptButton, DenyButton, ExtendButton, RetryButton)


def accept_custom_id(close_request_id: int) -> str:
    return f"{AcceptButton.PREFIX}:{close_request_id}"


def close_request_view(request: CloseRequest, *, max_extensions: int) -> discord.ui.View:
    """`Need more time` only where there is a timer, and more time to be had."""
    buttons: list[IdButton] = [AcceptButton(request.id), DenyButton(request.id)]
    if request.auto_close_at is not None and request.extensions < max_extensions:
        buttons.append(ExtendButton(request.id, request.extensions))
    return _view(*buttons)


def attention_view(ticket_id: int) -> discord.ui.View:
    return _view(RetryButton(ticket_id))


def _view(*items: discord.ui.Item[Any]) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    return view
