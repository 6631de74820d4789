"""What would keep a ticket from being closed, seen before it is time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import discord

from cogs.discord_errors import describe_missing_permissions, missing_permissions
from domains.ticket_lifecycle.models import GuildSettings, Ticket

TO_READ = ("view_channel", "read_message_history")
TO_DELETE = (*TO_READ, "manage_channels")
TO_ARCHIVE = (*TO_READ, "manage_threads")
TO_LOG = ("view_channel", "send_messages", "embed_links", "attach_files")


def close_blockers(
    server: discord.Guild | None, ticket: Ticket, guild: GuildSettings, locale: str
) -> Sequence[str]:
    """What the bot may not do, but would have to, as far as is known: a sentence's part for each
    place, as plain text."""
    if server is None or server.unavailable:
        return ()
    return list(_close_blockers(server, ticket, guild, locale))


def _close_blockers(
    server: discord.Guild, ticket: Ticket, guild: GuildSettings, locale: str
) -> Iterator[str]:
    """A channel that is gone blocks nothing; an archived thread is in no cache."""
    channel = server.get_channel_or_thread(ticket.channel_id or 0)
    log_channel = server.get_channel_or_thread(guild.log_channel_id or 0)
    to_remove = TO_ARCHIVE if isinstance(channel, discord.Thread) else TO_DELETE
    for place, needs in ((channel, to_remove), (log_channel, TO_LOG)):
        if place is not None and missing_permissions(place, needs):
            yield describe_missing_permissions(place, needs, locale)
