"""The domain's TicketChannels, on discord.py. All Discord work on a ticket's channel is here."""

from __future__ import annotations

from cogs.ticket_channels.asking import AskingInChannels
from cogs.ticket_channels.closing import ClosingChannels
from cogs.ticket_channels.marks import is_marked
from cogs.ticket_channels.opening import CATEGORY_NAME, MAX_CATEGORIES, OpeningChannels
from cogs.ticket_channels.reading import ReadingChannels

__all__ = ["CATEGORY_NAME", "MAX_CATEGORIES", "DiscordTicketChannels", "is_marked"]


class DiscordTicketChannels(OpeningChannels, AskingInChannels, ReadingChannels, ClosingChannels):
    """One object, whose parts share how a channel is found."""
