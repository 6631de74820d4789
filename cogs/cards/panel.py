"""The panel, whose button opens tickets."""

from __future__ import annotations

from typing import Any

import discord

from cogs.cards.blocks import BLUE, Card
from locales import text

OPEN = "ticket:open"


def panel_card(title: str | None, words: str | None, locale: str) -> Card:
    """What the server's own people wrote is shown as they wrote it."""
    card = Card(BLUE)
    card.heading(title or text("panel.title", locale))
    card.text(words or text("panel.text", locale))
    card.actions(
        discord.ui.Button[Any](
            label=text("buttons.open", locale),
            style=discord.ButtonStyle.primary,
            custom_id=OPEN,
        )
    )
    return card
