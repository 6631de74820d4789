"""The buttons below the list of timers. They carry all they need, so they work after a restart, and
each checks again who presses it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import discord

from cogs.buttons import ID, IdButton
from cogs.cog import NotReadyError, guild_id_of
from cogs.language import reader
from cogs.permissions import require_support
from cogs.text import when
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.errors import TicketNotFoundError
from domains.ticket_lifecycle.models import Ticket
from locales import Text, text

PAGE_NUMBER = r"(?P<page>[0-9]{1,6})"


@runtime_checkable
class TimerScreens(Protocol):
    """What the buttons lead to; each takes the place of the message whose button was pressed."""

    async def show_page(self, interaction: discord.Interaction[Any], number: int) -> None: ...

    async def show_ticket(
        self, interaction: discord.Interaction[Any], ticket: Ticket, page: int, note: str = ""
    ) -> None: ...


class TimerButton(IdButton, template=r"ticket:never"):
    LABEL = "…"  # in the reader's language, once it is known
    LABEL_KEY: ClassVar[str]

    @classmethod
    def labelled(cls, locale: str, *ids: int) -> Self:
        button = cls(*ids)
        button.item.label = text(cls.LABEL_KEY, locale)
        return button

    def __init__(self, id_: int, *more: int) -> None:
        super().__init__(id_, *more)
        self.page = more[-1] if more else id_

    async def press(self, interaction: discord.Interaction[Any], tickets: TicketLifecycle) -> None:
        await interaction.response.defer()
        require_support(interaction, await tickets.guild_settings(guild_id_of(interaction)))
        await self.act(interaction, tickets, _screens(interaction))

    @abstractmethod
    async def act(
        self,
        interaction: discord.Interaction[Any],
        tickets: TicketLifecycle,
        screens: TimerScreens,
    ) -> None: ...

    async def ticket(
        self, interaction: discord.Interaction[Any], tickets: TicketLifecycle, ticket_id: int
    ) -> Ticket:
        """Which must be one of this server. Raises TicketNotFound."""
        ticket = await tickets.ticket(ticket_id)
        if ticket is None or ticket.guild_id != interaction.guild_id:
            raise TicketNotFoundError
        return ticket


class PageButton(TimerButton, template=r"ticket:timers:page:(?P<id>[0-9]{1,6})"):
    PREFIX = "ticket:timers:page"
    STYLE = discord.ButtonStyle.secondary
    LABEL_KEY = "timers.back"

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
    LABEL_KEY = "timers.details"

    async def act(
        self,
        interaction: discord.Interaction[Any],
        tickets: TicketLifecycle,
        screens: TimerScreens,
    ) -> None:
        ticket = await self.ticket(interaction, tickets, self.id_)
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
        ticket = await self.ticket(interaction, tickets, request.ticket_id)
        done = await self.change(interaction.user.id, ticket, tickets)
        note = done.in_locale(reader(interaction))
        await screens.show_ticket(interaction, ticket, self.page, f"✅ {note}")

    @abstractmethod
    async def change(self, user_id: int, ticket: Ticket, tickets: TicketLifecycle) -> Text:
        """Says what was done."""


class ExtendTimerButton(RequestButton, template=rf"ticket:timers:extend:{ID}:{PAGE_NUMBER}"):
    PREFIX = "ticket:timers:extend"
    STYLE = discord.ButtonStyle.primary
    LABEL_KEY = "timers.extend"

    async def change(self, user_id: int, ticket: Ticket, tickets: TicketLifecycle) -> Text:
        extended = await tickets.extend_close_request(ticket.id, user_id, self.id_)
        assert extended.auto_close_at is not None
        return Text("timers.extended", {"at": when(extended.auto_close_at)})


class CancelTimerButton(RequestButton, template=rf"ticket:timers:cancel:{ID}:{PAGE_NUMBER}"):
    PREFIX = "ticket:timers:cancel"
    STYLE = discord.ButtonStyle.danger
    LABEL_KEY = "timers.cancel"

    async def change(self, user_id: int, ticket: Ticket, tickets: TicketLifecycle) -> Text:
        await tickets.withdraw_close_request(ticket.id, user_id, self.id_)
        return Text("timers.cancelled")


class RetryTimerButton(TimerButton, template=rf"ticket:timers:retry:{ID}:{PAGE_NUMBER}"):
    PREFIX = "ticket:timers:retry"
    STYLE = discord.ButtonStyle.primary
    LABEL_KEY = "timers.retry"

    async def act(
        self,
        interaction: discord.Interaction[Any],
        tickets: TicketLifecycle,
        screens: TimerScreens,
    ) -> None:
        ticket = await self.ticket(interaction, tickets, self.id_)
        tried = await tickets.retry_close(ticket.id) or ticket
        note = "timers.still_needs_attention" if tried.attention else "timers.tried_again"
        await screens.show_ticket(interaction, tried, self.page, text(note, reader(interaction)))


TIMER_BUTTONS: tuple[type[TimerButton], ...] = (
    PageButton,
    DetailsButton,
    ExtendTimerButton,
    CancelTimerButton,
    RetryTimerButton,
)


def paging(locale: str, number: int, pages: int) -> list[PageButton]:
    """Only those that lead somewhere."""
    buttons: list[PageButton] = []
    for other, key in ((number - 1, "timers.previous"), (number + 1, "timers.next")):
        if 0 <= other < pages:
            button = PageButton(other)
            button.item.label = text(key, locale)
            buttons.append(button)
    return buttons


def _screens(interaction: discord.Interaction[Any]) -> TimerScreens:
    for cog in interaction.client.cogs.values():
        if isinstance(cog, TimerScreens):
            return cog
    raise NotReadyError
