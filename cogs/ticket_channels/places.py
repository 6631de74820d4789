"""Finding servers, channels and messages."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable

import discord
from discord.ext import commands

from cogs.buttons.retry import RetryButton
from cogs.cards.blocks import Card
from cogs.cards.reading import custom_ids, texts
from cogs.discord_errors import UNKNOWN_MESSAGE, discord_call, permission_missing
from cogs.gateway_probe import GatewayProbe
from cogs.text import NO_MENTIONS
from cogs.ticket_channels.marks import mark_of
from cogs.ticket_channels.noted import Noted
from domains.ticket_lifecycle.channels import (
    ChannelGoneError,
    DiscordFailedError,
    ServerAwayError,
)
from domains.ticket_lifecycle.models import GuildSettings, Ticket
from locales import text

log = logging.getLogger(__name__)

TicketChannel = discord.TextChannel | discord.Thread

LOOK_BACK = 100
"""How many messages are searched for one that may have been posted before a crash."""


class Places:
    """What every part of TicketChannels needs."""

    def __init__(
        self, bot: commands.Bot, installation_id: Callable[[], str], *, max_extensions: int
    ) -> None:
        """`installation_id` is asked for when it is needed: the database is connected by then."""
        self._bot = bot
        self._installation_id = installation_id
        self._max_extensions = max_extensions
        self._probe = GatewayProbe(bot)
        self._category_locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._private_threads = Noted()
        """Whether a ticket that was read has some."""

    def _guild(self, guild_id: int) -> discord.Guild:
        server = self._bot.get_guild(guild_id)
        if server is None or server.unavailable:
            raise ServerAwayError("the server is not available at the moment")
        return server

    async def _channel(self, ticket: Ticket) -> TicketChannel:
        if ticket.channel_id is None:
            raise ChannelGoneError("the ticket has no channel")
        return await self._fetch(ticket.guild_id, ticket.channel_id)

    async def _channel_or_none(self, ticket: Ticket) -> TicketChannel | None:
        try:
            return await self._channel(ticket)
        except ChannelGoneError:
            return None

    async def _fetch(self, guild_id: int, channel_id: int) -> TicketChannel:
        """From the cache, else from Discord: an archived thread is in no cache."""
        server = self._guild(guild_id)
        channel = server.get_channel_or_thread(channel_id)
        if channel is None:
            async with discord_call(server, "view_channel"):
                channel = await server.fetch_channel(channel_id)
        if not isinstance(channel, (discord.TextChannel, discord.Thread)):
            raise ChannelGoneError("it is not a text channel")
        return channel

    async def _log_channel(self, guild: GuildSettings) -> TicketChannel | None:
        """None where a guild has none, or has deleted it: the transcript is kept on disk."""
        if guild.log_channel_id is None:
            return None
        try:
            return await self._fetch(guild.guild_id, guild.log_channel_id)
        except ChannelGoneError:
            log.warning("The log channel of guild %s is gone", guild.guild_id)
            return None

    async def _name_of(self, server: discord.Guild, user_id: int, locale: str) -> str:
        async with discord_call(server):
            try:
                member = server.get_member(user_id) or await server.fetch_member(user_id)
            except discord.NotFound:
                return text("people.user", locale, id=user_id)
        return f"{member.display_name} (@{member.name})"

    async def _edit(
        self,
        channel: TicketChannel,
        message_id: int | None,
        *,
        card: Card | None = None,
        content: str | None = None,
    ) -> bool:
        """Into a card, whatever the message was before, or into a plain text. Pings nobody. False
        if the message is gone."""
        if message_id is None:
            return False
        try:
            async with discord_call(channel, "view_channel"):
                message = channel.get_partial_message(message_id)
                if card is None:
                    await message.edit(content=content, allowed_mentions=NO_MENTIONS)
                else:
                    await message.edit(
                        content=None, embeds=[], view=card, allowed_mentions=NO_MENTIONS
                    )
        except DiscordFailedError as error:
            if not _is_unknown_message(error):
                raise
            return False
        return True

    # --- recognising our own messages

    def _mark(self, ticket: Ticket) -> str:
        return mark_of(ticket, self._installation_id())

    def _is_mine(self, message: discord.Message) -> bool:
        return self._bot.user is not None and message.author.id == self._bot.user.id

    async def _posted_before(
        self, channel: TicketChannel | discord.DMChannel, mark: str
    ) -> discord.Message | None:
        """Our message with this mark that is no call for a person."""
        async for message in messages_of(channel, limit=LOOK_BACK):
            is_it = self._is_mine(message) and _is_marked(message, mark)
            if is_it and not _calls_a_person(message):
                return message
        return None


async def messages_of(
    channel: TicketChannel | discord.DMChannel, *, limit: int | None, after: int | None = None
) -> AsyncIterator[discord.Message]:
    """Newest first, or oldest first from `after` on.

    Without Read Message History Discord answers with an empty list, not with an error: whoever
    took that for silence would close a ticket that was answered, and save an empty transcript.
    """
    place = None if isinstance(channel, discord.DMChannel) else channel
    if place is not None:
        needed = ("view_channel", "read_message_history")
        own = place.permissions_for(place.guild.me)
        if not all(getattr(own, name) for name in needed):
            raise permission_missing(place, needed)
    history = channel.history(
        limit=limit,
        after=None if after is None else discord.Object(after),
        oldest_first=after is not None,
    )
    while True:
        async with discord_call(place, "view_channel", "read_message_history"):
            message = await anext(history, None)
        if message is None:
            return
        yield message


def only(user_id: int) -> discord.AllowedMentions:
    """Nobody but one member is pinged."""
    return discord.AllowedMentions(
        everyone=False, roles=False, users=[discord.Object(user_id)], replied_user=False
    )


def _is_marked(message: discord.Message, mark: str) -> bool:
    """As the footer of an embed, or the last line of a card."""
    return not {mark, f"-# {mark}"}.isdisjoint(texts(message))


def _calls_a_person(message: discord.Message) -> bool:
    return any(id_.startswith(RetryButton.PREFIX) for id_ in custom_ids(message))


def _is_unknown_message(error: DiscordFailedError) -> bool:
    cause = error.__cause__
    return isinstance(cause, discord.NotFound) and cause.code == UNKNOWN_MESSAGE
