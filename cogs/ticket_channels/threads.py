"""A ticket, and the threads that somebody has made in it although members may not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import discord

from cogs.discord_errors import discord_call
from cogs.ticket_channels.places import TicketChannel


async def with_threads(channel: TicketChannel) -> AsyncIterator[TicketChannel]:
    yield channel
    if isinstance(channel, discord.Thread):
        return
    for thread in channel.threads:
        yield thread
    async for thread in _archived(channel, channel.archived_threads(limit=None)):
        yield thread


async def private_archived(channel: TicketChannel) -> AsyncIterator[TicketChannel]:
    """Without Manage Threads, those that the bot is in: it can see no others."""
    if isinstance(channel, discord.Thread):
        return
    sees_all = channel.permissions_for(channel.guild.me).manage_threads
    archived = channel.archived_threads(limit=None, private=True, joined=not sees_all)
    async for thread in _archived(channel, archived):
        yield thread


async def has_private_threads(channel: TicketChannel) -> bool:
    if isinstance(channel, discord.Thread):
        return False
    if any(thread.is_private() for thread in channel.threads):
        return True
    async for _ in private_archived(channel):
        return True
    return False


async def _archived(
    channel: discord.TextChannel, archived: AsyncIterator[discord.Thread]
) -> AsyncIterator[TicketChannel]:
    while True:
        async with discord_call(channel, "view_channel", "read_message_history"):
            thread = await anext(archived, None)
        if thread is None:
            return
        yield thread
