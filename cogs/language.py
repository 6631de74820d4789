"""Who reads what in which language.

An answer that one person sees is in that person's; what stands in a ticket, and DMs, in the
opener's; the log channel, the panel and what support reads in the server's.
"""

from __future__ import annotations

from typing import Any

import discord
from babel import Locale

from domains.ticket_lifecycle.models import GuildSettings, Ticket
from locales import supported


def reader(interaction: discord.Interaction[Any]) -> str:
    return supported(interaction.locale)


def opener(ticket: Ticket) -> str:
    return supported(ticket.opener_locale)


def of_server(settings: GuildSettings, server: discord.Guild | None) -> str:
    """What `/language` has set, else the server's on Discord."""
    if settings.locale is not None:
        return supported(settings.locale)
    return supported(server.preferred_locale if server is not None else None)


def own_name(locale: str) -> str:
    """`English`, `Deutsch`: as those who speak it call it."""
    name = Locale.parse(locale).get_display_name(locale) or locale
    return name[:1].upper() + name[1:]
