"""The buttons below the list of timers. They carry all they need, so they work after a restart, and
each checks again who presses it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import discord

from cogs.buttons.id_button import ID, IdButton, ticket_of_server
from cogs.cog import guild_id_of
from cogs.language import reader
from cogs.permissions import require_support
from cogs.screens import TimerScreens, timer_screens
from cogs.text import when
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.errors import TicketNotFoundError
from domains.ticket_lifecycle.models import Ticket
from locales import DEFAULT_LOCALE, Text, text

PAGE_NUMBER = r"(?P<page>[0-9]{1,6})"


class TimerButton(IdButton, template=r"ticket:never"):
    def __init__(self, id_: int, *more: int, locale: str = DEFAULT_LOCALE) -> None:
        super().__init__(id_, *more, locale=locale)
        self.page = more[-1] if more else id_

    async def press(self, interaction: discord.Interaction[Any], tickets: TicketLifecycle) -> None:
        await interaction.response.defer()
        require_support(interaction, await tickets.guild_settings(guild_id_of(interaction)))
        await self.act(interaction, tickets, timer_screens(interaction))

    @abstractmethod
    async def act(
        self,
        interaction: discord.Interaction[Any],
        tickets: TicketLifecycle,
        screens: TimerScreens,
    ) -> None: ...


class PageButton(TimerButton, template=r"ticket:timers:page:(?P<id>[0-9]{1,6})"):
    PREFIX = "ticket:timers:page"
    STYLE = discord.ButtonStyle.secondary
    LABEL = "timers.back"

    async def act(
        self,
        interaction: discord.Interaction[Any],
        tickets: TicketLifecycle,  # noqa: ARG002  # as the others
        screens: TimerScreens,
    ) -> None:
        await screens.show_page(interaction, self.page)


class DetailsButton(TimerButton, template=rf"ticket:timers:ticket:{ID}:{PAGE_NUMBER}"):
    PREFIX = "ticket:timers:ticket"
    STYLE = discord.ButtonStyle.secondary
    LABEL = "timers.details"

    async def act(
        self,
        interaction: discord.Interaction[Any],
        tickets: TicketLifecycle,
        screens: TimerScreens,
    ) -> None:
        ticket = await ticket_of_server(interaction, tickets, self.id_)
        await screens.show_ticket(interaction, ticket, self.page)


class RequestButton(TimerButton, template=r"ticket:never"):
    """About one close request: an old list cannot act on a newer one."""

    async def act(
        self,
        interaction: discord.Interaction[Any],
        tickets: TicketLifecycle,
        screens: TimerScreens,
    ) -> None:
        request = await tickets.close_request(self.id_)
        if request is None:
            raise TicketNotFoundError
        ticket = await ticket_of_server(interaction, tickets, request.ticket_id)
        done = await self.change(interaction.user.id, ticket, tickets)
        note = done.in_locale(reader(interaction))
        await screens.show_ticket(interaction, ticket, self.page, f"✅ {note}")

    @abstractmethod
    async def change(self, user_id: int, ticket: Ticket, tickets: TicketLifecycle) -> Text:
        """Says what was done."""


class ExtendTimerButton(RequestButton, template=rf"ticket:timers:extend:{ID}:{PAGE_NUMBER}"):
    PREFIX = "ticket:timers:extend"
    STYLE = discord.ButtonStyle.primary
    LABEL = "timers.extend"

    async def change(self, user_id: int, ticket: Ticket, tickets: TicketLifecycle) -> Text:
        extended = await tickets.extend_close_request(ticket.id, user_id, self.id_)
        assert extended.auto_close_at is not None
        return Text("timers.extended", {"at": when(extended.auto_close_at)})


class CancelTimerButton(RequestButton, template=rf"ticket:timers:cancel:{ID}:{PAGE_NUMBER}"):
    PREFIX = "ticket:timers:cancel"
    STYLE = discord.ButtonStyle.danger
    LABEL = "timers.cancel"

    async def change(self, user_id: int, ticket: Ticket, tickets: TicketLifecycle) -> Text:
        await tickets.withdraw_close_request(ticket.id, user_id, self.id_)
        return Text("timers.cancelled")


class RetryTimerButton(TimerButton, template=rf"ticket:timers:retry:{ID}:{PAGE_NUMBER}"):
    PREFIX = "ticket:timers:retry"
    STYLE = discord.ButtonStyle.primary
    LABEL = "timers.retry"

    async def act(
        self,
        interaction: discord.Interaction[Any],
        tickets: TicketLifecycle,
        screens: TimerScreens,
    ) -> None:
        ticket = await ticket_of_server(interaction, tickets, self.id_)
        tried = await tickets.retry_close(ticket.id, interaction.user.id) or ticket
        note = "timers.still_needs_attention" if tried.attention else "timers.tried_again"
        await screens.show_ticket(interaction, tried, self.page, text(note, reader(interaction)))


def paging(locale: str, number: int, pages: int) -> list[PageButton]:
    """Only those that lead somewhere."""
    buttons: list[PageButton] = []
    for other, key in ((number - 1, "timers.previous"), (number + 1, "timers.next")):
        if 0 <= other < pages:
            button = PageButton(other, locale=locale)
            button.item.label = text(key, locale)
            buttons.append(button)
    return buttons
