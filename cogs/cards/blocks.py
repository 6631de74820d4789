"""What cards are made of: Discord's components in one coloured container.

Discord takes 40 components in a message, nested ones counted, and 4,000 characters over all its
texts. What does not fit is shortened, so that whatever somebody typed, the card can be sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import discord

from cogs.text import shorten

BLUE: Final = discord.Colour.blurple()
GREEN: Final = discord.Colour.green()
AMBER: Final = discord.Colour.orange()
RED: Final = discord.Colour.red()
GREY: Final = discord.Colour.greyple()

MAX_COMPONENTS: Final = 40
MAX_CHARACTERS: Final = 4_000
BUTTONS_IN_A_ROW: Final = 5

Item = discord.ui.Item[Any]


class Card(discord.ui.LayoutView):
    """A card's blocks stand below each other in the order in which they are added.

    Mentions in its texts ping as those in a message's content do: whoever sends or edits one says
    in `allowed_mentions` who may be pinged.
    """

    def __init__(self, colour: discord.Colour | None = None, *, above: str = "") -> None:
        """`above` stands outside of the coloured part: who is pinged."""
        super().__init__(timeout=None)
        # Its buttons are found by their custom_ids: discord.py would keep each card in memory.
        self.stop()
        self._container = discord.ui.Container[Any](accent_colour=colour)
        self._characters_left = MAX_CHARACTERS
        if above:
            self.add_item(discord.ui.TextDisplay[Any](self._fitting(above)))
        self.add_item(self._container)

    @property
    def components_left(self) -> int:
        return MAX_COMPONENTS - sum(1 for _ in self.walk_children())

    @property
    def characters_left(self) -> int:
        return self._characters_left

    def heading(self, words: str) -> None:
        self.text(f"### {words}")

    def text(self, words: str) -> None:
        """Any number of lines. Nothing is added where there is nothing to say, or no room."""
        if self.components_left and (fitting := self._fitting(words)):
            self._container.add_item(discord.ui.TextDisplay[Any](fitting))

    def note(self, words: str) -> None:
        """One small line."""
        self.text(f"-# {words}")

    def fields(self, fields: Iterable[tuple[str, str]]) -> None:
        """A line each: its name, and its value; those without a value are left out. On one line
        with its name nothing typed can begin a list, or a heading."""
        self.text("\n".join(f"**{name}:** {value}" for name, value in fields if value))

    def separator(self) -> None:
        if self.components_left:
            self._container.add_item(discord.ui.Separator[Any]())

    def section(self, words: str, button: Item) -> None:
        """A text with a button beside it; the text alone where there is no room for both."""
        needed = 3  # the section, its text and its button
        if self.components_left < needed or not self._characters_left:
            self.text(words)
            return
        text = discord.ui.TextDisplay[Any](self._fitting(words))
        self._container.add_item(discord.ui.Section[Any](text, accessory=button))

    def actions(self, *buttons: Item) -> None:
        for first in range(0, len(buttons), BUTTONS_IN_A_ROW):
            row = buttons[first : first + BUTTONS_IN_A_ROW]
            self._container.add_item(discord.ui.ActionRow[Any](*row))

    def files(self, files: Iterable[discord.File]) -> None:
        """Which are uploaded with the message: Discord shows none that no component names."""
        for file in files:
            self._container.add_item(discord.ui.File[Any](file))

    def _fitting(self, words: str) -> str:
        fitting = shorten(words, self._characters_left) if self._characters_left else ""
        self._characters_left -= len(fitting)
        return fitting
