"""What all buttons have in common."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Any, Self

import discord

from cogs.cog import lifecycle_of
from cogs.replies import answer_error
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.errors import TicketNotFoundError
from domains.ticket_lifecycle.models import Ticket
from locales import DEFAULT_LOCALE, text

ID = r"(?P<id>[0-9]{1,18})"
SNOWFLAKE = r"(?P<id>[0-9]{1,19})"


class IdButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"ticket:never"):
    """A button whose custom_id ends in an id, or in more numbers: what `__init__` takes.

    discord.py only logs what a DynamicItem's callback raises, and the user sees "interaction
    failed"; so errors are caught and answered here, once for all.
    """

    PREFIX: str
    LABEL: str
    """The key of its text."""
    STYLE: discord.ButtonStyle

    def __init__(self, id_: int, *more: int, locale: str = DEFAULT_LOCALE) -> None:
        """The language matters only where it is shown, not where a press of it is answered."""
        self.id_ = id_
        custom_id = ":".join([self.PREFIX, *map(str, (id_, *more))])
        label = text(self.LABEL, locale)
        super().__init__(discord.ui.Button(label=label, style=self.STYLE, custom_id=custom_id))

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


async def ticket_of_server(
    interaction: discord.Interaction[Any], tickets: TicketLifecycle, ticket_id: int
) -> Ticket:
    """For buttons outside of their ticket. Raises TicketNotFound for another server's."""
    ticket = await tickets.ticket(ticket_id)
    if ticket is None or ticket.guild_id != interaction.guild_id:
        raise TicketNotFoundError
    return ticket
