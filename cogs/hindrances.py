"""What would keep a ticket from being closed, seen before it is time."""

from __future__ import annotations

from collections.abc import Iterator

import discord

from cogs.discord_errors import lacking, missing_permission
from domains.ticket_lifecycle.models import GuildSettings, Ticket

TO_READ = ("view_channel", "read_message_history")
TO_DELETE = (*TO_READ, "manage_channels")
TO_ARCHIVE = (*TO_READ, "manage_threads")
TO_LOG = ("view_channel", "send_messages", "embed_links", "attach_files")


def hindrance(server: discord.Guild | None, ticket: Ticket, guild: GuildSettings) -> str | None:
    """What the bot may not do, but would have to. None if it may do all, as far as is known."""
    if server is None or server.unavailable:
        return None
    return " and ".join(_hindrances(server, ticket, guild)) or None


def _hindrances(server: discord.Guild, ticket: Ticket, guild: GuildSettings) -> Iterator[str]:
    """A channel that is gone hinders nothing; an archived thread is in no cache."""
    channel = server.get_channel_or_thread(ticket.channel_id or 0)
    log_channel = server.get_channel_or_thread(guild.log_channel_id or 0)
    to_remove = TO_ARCHIVE if isinstance(channel, discord.Thread) else TO_DELETE
    for place, needs in ((channel, to_remove), (log_channel, TO_LOG)):
        if place is not None and lacking(place, needs):
            yield missing_permission(place, needs)
