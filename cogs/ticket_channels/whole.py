"""The domain's TicketChannels, on discord.py. All Discord work on a ticket's channel is here."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Any

import aiohttp
import discord
from discord.ext import commands

from cogs import embeds
from cogs.announcements import by_dm, in_ticket
from cogs.buttons import accept_custom_id, attention_view, close_request_view
from cogs.cdn import read_file
from cogs.discord_errors import (
    CALL_S,
    INVALID_FORM,
    UNKNOWN_MESSAGE,
    UPLOAD_BYTES_PER_S,
    discord_call,
    missing_permissions,
    permission_missing,
)
from cogs.gateway_probe import GatewayProbe
from cogs.language import of_server
from cogs.text import NO_MENTIONS, escape
from cogs.transcript_messages import transcript_message
from cogs.transcript_upload import Upload, prepare, without_files
from domains.error_codes import one_line
from domains.ticket_lifecycle.channels import (
    Announcement,
    CategoriesFullError,
    ChannelError,
    ChannelGoneError,
    DiscordAwayError,
    DiscordFailedError,
    PermissionMissingError,
    Posting,
    ServerAwayError,
    TicketNames,
)
from domains.ticket_lifecycle.models import CloseRequest, GuildSettings, Ticket
from domains.transcripts import (
    Attachment,
    DownloadFailed,
    SavedTranscript,
    TranscriptMessage,
)

log = logging.getLogger(__name__)

TicketChannel = discord.TextChannel | discord.Thread

CATEGORY_NAME = "Tickets"
MAX_CATEGORIES = 10
LOOK_BACK = 100
"""How many messages are searched for one that may have been posted before a crash."""
CONTENT_TOO_LARGE = 413

MEMBER_PERMISSIONS = (
    "view_channel",
    "send_messages",
    "read_message_history",
    "attach_files",
    "embed_links",
)
BOT_PERMISSIONS = (*MEMBER_PERMISSIONS, "manage_channels")


class DiscordTicketChannels:
    def __init__(
        self, bot: commands.Bot, installation_id: Callable[[], str], *, max_extensions: int
    ) -> None:
        """`installation_id` is asked for when it is needed: the database is connected by then."""
        self._bot = bot
        self._installation_id = installation_id
        self._max_extensions = max_extensions
        self._probe = GatewayProbe(bot)
        self._category_locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    # --- opening

    async def create(self, ticket: Ticket, guild: GuildSettings) -> int:
        server = self._guild(ticket.guild_id)
        async with (
            self._category_locks[server.id],
            discord_call(server, "manage_channels", "manage_roles"),
        ):
            channel = await self._create_in_category(server, ticket, guild)
        return channel.id

    async def _create_in_category(
        self, server: discord.Guild, ticket: Ticket, guild: GuildSettings
    ) -> discord.TextChannel:
        """A full category is answered with a second one: react to Discord's error, don't count."""
        first = server.get_channel(guild.category_id) if guild.category_id else None
        base = first.name if isinstance(first, discord.CategoryChannel) else CATEGORY_NAME
        for n in range(1, MAX_CATEGORIES + 1):
            name = base if n == 1 else f"{base} {n}"
            category = (
                first
                if n == 1 and isinstance(first, discord.CategoryChannel)
                else discord.utils.get(server.categories, name=name)
            )
            _require_manage_channels(category or server)
            if category is None:
                category = await server.create_category(
                    name,
                    overwrites=_hidden(server),
                    reason="Room for tickets",
                )
            try:
                return await server.create_text_channel(
                    ticket.name,
                    category=category,
                    overwrites=_overwrites(server, ticket, guild),
                    topic=f"{escape(ticket.subject, 500)} · {self._mark(ticket)}",
                    reason=f"Ticket {ticket.number}",
                )
            except discord.HTTPException as error:
                if error.code != INVALID_FORM or "parent_id" not in str(error):
                    raise
                log.info("Category %s of guild %s is full", category.name, server.id)
        raise CategoriesFullError(
            "all categories for tickets are full; ask an admin to make room, or to set another "
            "one with `/setup category`"
        )

    async def find(self, ticket: Ticket) -> int | None:
        """The mark alone is not enough: once a database is lost, ids begin anew, and an old channel
        of the same mark is another member's."""
        mark = self._mark(ticket)
        for channel in self._guild(ticket.guild_id).text_channels:
            if (
                channel.topic is not None
                and channel.topic.endswith(mark)
                and any(who.id == ticket.opener_id for who in channel.overwrites)
            ):
                return channel.id
        return None

    async def exists(self, ticket: Ticket) -> bool:
        try:
            await self._channel(ticket)
        except ChannelGoneError:
            return False
        except ChannelError as error:
            log.debug("Whether ticket %s has a channel is not known: %s", ticket.id, error)
        return True

    async def welcome(self, ticket: Ticket, guild: GuildSettings, posting: Posting) -> None:
        channel = await self._channel(ticket)
        if posting.again and await self._posted_before(channel, self._mark(ticket)):
            return
        roles = [discord.Object(role_id) for role_id in guild.support_role_ids]
        mentions = " ".join(f"<@&{role_id}>" for role_id in guild.support_role_ids)
        async with discord_call(channel, "send_messages", "embed_links"):
            await channel.send(
                f"<@{ticket.opener_id}> {mentions}".strip(),
                embed=embeds.welcome(ticket, self._mark(ticket)),
                allowed_mentions=discord.AllowedMentions(
                    everyone=False, users=[discord.Object(ticket.opener_id)], roles=roles
                ),
                nonce=posting.nonce,
            )

    # --- asking

    async def ask(self, ticket: Ticket, request: CloseRequest, posting: Posting) -> int:
        channel = await self._channel(ticket)
        view = self._view(request)
        if posting.again:
            async for message in _messages(channel, limit=LOOK_BACK):
                if self._is_mine(message) and _has_button(message, accept_custom_id(request.id)):
                    return message.id
        async with discord_call(channel, "view_channel", "send_messages", "embed_links"):
            message = await channel.send(
                f"<@{ticket.opener_id}>",
                embed=embeds.close_request(ticket, request),
                view=view,
                allowed_mentions=_only(ticket.opener_id),
                nonce=posting.nonce,
            )
        return message.id

    async def show_outcome(self, ticket: Ticket, request: CloseRequest) -> None:
        await self._edit(ticket, request, embeds.close_request_outcome(request), None)

    async def show_deadline(self, ticket: Ticket, request: CloseRequest) -> None:
        await self._edit(
            ticket, request, embeds.close_request(ticket, request), self._view(request)
        )

    async def _edit(
        self,
        ticket: Ticket,
        request: CloseRequest,
        embed: discord.Embed,
        view: discord.ui.View | None,
    ) -> None:
        if request.message_id is None:
            return
        channel = await self._channel(ticket)
        try:
            async with discord_call(channel, "view_channel"):
                await channel.get_partial_message(request.message_id).edit(
                    embed=embed, view=view, allowed_mentions=NO_MENTIONS
                )
        except DiscordFailedError as error:
            if not _is_unknown_message(error):
                raise

    async def announce(self, ticket: Ticket, announcement: Announcement, posting: Posting) -> None:
        channel = await self._channel(ticket)
        mention_id = announcement.mention_id
        async with discord_call(channel, "view_channel", "send_messages"):
            await channel.send(
                in_ticket(announcement, ticket),
                view=self._buttons_of(announcement),
                allowed_mentions=NO_MENTIONS if mention_id is None else _only(mention_id),
                nonce=posting.nonce,
            )

    async def announce_by_dm(
        self, ticket: Ticket, announcement: Announcement, posting: Posting
    ) -> None:
        text = by_dm(announcement, ticket, self._guild(ticket.guild_id).name)
        async with _no_dm_is_no_error(ticket):
            channel = await self._dm(ticket)
            await channel.send(text, nonce=posting.nonce)

    def _buttons_of(self, announcement: Announcement) -> Any:
        """What `send` takes for a view, or for none."""
        if announcement.request is None or not announcement.has_buttons:
            return discord.utils.MISSING
        return self._view(announcement.request)

    # --- reading

    async def is_current(self) -> bool:
        return await self._probe.is_current()

    async def opener_wrote_after(self, ticket: Ticket, message_id: int) -> int | None:
        channel = await self._channel(ticket)
        async for place in self._with_threads(channel):
            async for message in _messages(place, limit=None, after=message_id):
                if message.author.id == ticket.opener_id:
                    return message.id
        return None

    async def _with_threads(self, channel: TicketChannel) -> AsyncIterator[TicketChannel]:
        """A ticket, and the threads that somebody has made in it although members may not."""
        yield channel
        if isinstance(channel, discord.Thread):
            return
        for thread in channel.threads:
            yield thread
        async for thread in self._archived(channel, channel.archived_threads(limit=None)):
            yield thread

    async def _private_archived(self, channel: TicketChannel) -> AsyncIterator[TicketChannel]:
        """Without Manage Threads, those that the bot is in: it can see no others."""
        if isinstance(channel, discord.Thread):
            return
        sees_all = channel.permissions_for(channel.guild.me).manage_threads
        archived = channel.archived_threads(limit=None, private=True, joined=not sees_all)
        async for thread in self._archived(channel, archived):
            yield thread

    async def _archived(
        self, channel: discord.TextChannel, archived: AsyncIterator[discord.Thread]
    ) -> AsyncIterator[TicketChannel]:
        while True:
            async with discord_call(channel, "view_channel", "read_message_history"):
                thread = await anext(archived, None)
            if thread is None:
                return
            yield thread

    async def names(
        self, ticket: Ticket, guild: GuildSettings, asked_by_id: int | None
    ) -> TicketNames:
        channel = await self._channel(ticket)
        server, closed_by_id = channel.guild, ticket.closed_by_id
        return TicketNames(
            guild=server.name,
            channel=channel.name,
            opener=await self._name(server, ticket.opener_id),
            closed_by=await self._name(server, closed_by_id) if closed_by_id else None,
            asked_by=await self._name(server, asked_by_id) if asked_by_id else None,
            locale=of_server(guild, server),
        )

    async def _name(self, server: discord.Guild, user_id: int) -> str:
        async with discord_call(server):
            try:
                member = server.get_member(user_id) or await server.fetch_member(user_id)
            except discord.NotFound:
                return f"user {user_id}"
        return f"{member.display_name} (@{member.name})"

    async def history(self, ticket: Ticket) -> AsyncIterator[TranscriptMessage]:
        channel = await self._channel(ticket)
        for places in (self._with_threads(channel), self._private_archived(channel)):
            async for place in places:
                async for message in _messages(place, limit=None, after=0):
                    yield transcript_message(message)

    async def download(self, attachment: Attachment) -> AsyncIterator[bytes]:
        try:
            async with aclosing(read_file(self._bot.http, attachment.url)) as pieces:
                async for piece in pieces:
                    yield piece
        except (aiohttp.ClientError, OSError) as error:
            # Nothing answered: that may be this one server, or the whole network.
            if not await self.is_current():
                raise DiscordAwayError(f"the network is away: {one_line(error)}") from error
            raise DownloadFailed(f"the download failed ({one_line(error)})") from error

    # --- closing

    async def log_close(
        self,
        ticket: Ticket,
        guild: GuildSettings,
        transcript: SavedTranscript | None,
        posting: Posting,
    ) -> None:
        channel = await self._log_channel(guild)
        if channel is None:
            return
        mark = self._mark(ticket)
        title = embeds.close_log(ticket, transcript, None, mark).title
        if posting.again and await self._posted_before(channel, mark, title=title):
            return
        upload = await asyncio.to_thread(prepare, ticket.name, transcript)
        try:
            await self._post_log(channel, ticket, transcript, upload, posting)
        except DiscordFailedError as error:
            if transcript is None or not _is_too_large(error):
                raise
            upload = without_files(transcript)
            await self._post_log(channel, ticket, transcript, upload, posting)

    async def _post_log(
        self,
        channel: TicketChannel,
        ticket: Ticket,
        transcript: SavedTranscript | None,
        upload: Upload,
        posting: Posting,
    ) -> None:
        async with discord_call(
            channel,
            "view_channel",
            "send_messages",
            "embed_links",
            "attach_files",
            seconds=CALL_S + upload.size / UPLOAD_BYTES_PER_S,
        ):
            await channel.send(
                embed=embeds.close_log(ticket, transcript, upload.note, self._mark(ticket)),
                files=upload.files,
                allowed_mentions=NO_MENTIONS,
                nonce=posting.nonce,
            )

    async def dm_opener(self, ticket: Ticket, posting: Posting) -> None:
        mark = self._mark(ticket)
        embed = embeds.close_dm(ticket, self._guild(ticket.guild_id).name, mark)
        async with _no_dm_is_no_error(ticket):
            channel = await self._dm(ticket)
            if posting.again and await self._posted_before(channel, mark, title=embed.title):
                return
            await channel.send(embed=embed, nonce=posting.nonce)

    async def _dm(self, ticket: Ticket) -> discord.DMChannel:
        opener_id = ticket.opener_id
        user = self._bot.get_user(opener_id) or await self._bot.fetch_user(opener_id)
        return await user.create_dm()

    async def remove(self, ticket: Ticket) -> None:
        try:
            channel = await self._channel(ticket)
            if isinstance(channel, discord.Thread):
                async with discord_call(channel, "manage_threads"):
                    await channel.edit(archived=True, locked=True, reason="The ticket is closed")
            else:
                async with discord_call(channel, "view_channel", "manage_channels"):
                    await channel.delete(reason="The ticket is closed")
        except ChannelGoneError:
            log.info("The channel of ticket %s is gone already", ticket.id)

    async def ask_for_attention(
        self, ticket: Ticket, guild: GuildSettings, posting: Posting
    ) -> None:
        """In the ticket itself where there is no log channel that can be written to."""
        failure: ChannelError = ChannelGoneError("there is no channel to say it in")
        for find in (partial(self._log_channel, guild), partial(self._channel_or_none, ticket)):
            try:
                channel = await find()
                if channel is None:
                    continue
                async with discord_call(channel, "view_channel", "send_messages", "embed_links"):
                    await channel.send(
                        embed=embeds.attention(ticket, self._mark(ticket)),
                        view=attention_view(ticket.id),
                        allowed_mentions=NO_MENTIONS,
                        nonce=posting.nonce,
                    )
            except ChannelError as error:
                failure = error
            else:
                return
        raise failure

    # --- finding

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

    def _view(self, request: CloseRequest) -> discord.ui.View:
        return close_request_view(request, max_extensions=self._max_extensions)

    # --- recognising our own messages

    def _mark(self, ticket: Ticket) -> str:
        """What tells, in a message's footer or a channel's topic, which ticket it is about. Ids
        alone begin anew in an emptied database, and are others in another installation."""
        return f"{mark_prefix(self._installation_id())}{ticket.token}"

    def _is_mine(self, message: discord.Message) -> bool:
        return self._bot.user is not None and message.author.id == self._bot.user.id

    async def _posted_before(
        self, channel: TicketChannel | discord.DMChannel, mark: str, *, title: str | None = None
    ) -> bool:
        async for message in _messages(channel, limit=LOOK_BACK):
            for embed in message.embeds if self._is_mine(message) else ():
                if embed.footer.text == mark and title in (None, embed.title):
                    return True
        return False


def mark_prefix(installation_id: str) -> str:
    """With which all our marks begin."""
    return f"Ref {installation_id}-"


def is_marked(channel: object, installation_id: str) -> bool:
    """Another process may have opened this ticket a moment ago: its topic says that it is ours."""
    place = channel.parent if isinstance(channel, discord.Thread) else channel
    topic = place.topic if isinstance(place, discord.TextChannel) else None
    return topic is not None and mark_prefix(installation_id) in topic


@asynccontextmanager
async def _no_dm_is_no_error(ticket: Ticket) -> AsyncGenerator[None]:
    """Around direct messages to the opener, who may take none, or have no account any more."""
    try:
        async with discord_call(None):
            yield
    except PermissionMissingError:
        log.info("The opener of ticket %s takes no direct messages", ticket.id)
    except DiscordFailedError as error:
        cause = error.__cause__
        if not isinstance(cause, discord.HTTPException) or not 400 <= cause.status < 429:
            raise
        log.info("The opener of ticket %s cannot be written to: %s", ticket.id, error)


def _only(user_id: int) -> discord.AllowedMentions:
    return discord.AllowedMentions(everyone=False, roles=False, users=[discord.Object(user_id)])


async def _messages(
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


def _require_manage_channels(place: discord.CategoryChannel | discord.Guild) -> None:
    """Without asking Discord, which shuts out an address that it answers 403 too often: any member
    can have this tried as often as they like."""
    if missing_permissions(place, ("manage_channels",)):
        raise permission_missing(place, ("manage_channels",))


def _hidden(
    server: discord.Guild,
) -> dict[discord.Role | discord.Member | discord.Object, discord.PermissionOverwrite]:
    return {
        server.default_role: discord.PermissionOverwrite(view_channel=False),
        server.me: _allow(server, BOT_PERMISSIONS),
    }


def _overwrites(
    server: discord.Guild, ticket: Ticket, guild: GuildSettings
) -> dict[discord.Role | discord.Member | discord.Object, discord.PermissionOverwrite]:
    """Who may see a ticket: its opener, support, and the bot. A thread would be a second place to
    answer in, so the opener may not make one."""
    overwrites = _hidden(server)
    opener = _allow(server, MEMBER_PERMISSIONS)
    opener.update(create_public_threads=False, create_private_threads=False)
    overwrites[discord.Object(ticket.opener_id, type=discord.Member)] = opener
    for role_id in guild.support_role_ids:
        role = server.get_role(role_id)
        if role is not None:
            overwrites[role] = _allow(server, MEMBER_PERMISSIONS)
    return overwrites


def _allow(server: discord.Guild, permissions: tuple[str, ...]) -> discord.PermissionOverwrite:
    """Discord refuses an overwrite that gives what the bot itself does not have."""
    own = server.me.guild_permissions
    return discord.PermissionOverwrite(**{name: True for name in permissions if getattr(own, name)})


def _has_button(message: discord.Message, custom_id: str) -> bool:
    return any(
        isinstance(item, discord.Button) and item.custom_id == custom_id
        for row in message.components
        if isinstance(row, discord.ActionRow)
        for item in row.children
    )


def _is_too_large(error: DiscordFailedError) -> bool:
    cause = error.__cause__
    return isinstance(cause, discord.HTTPException) and cause.status == CONTENT_TOO_LARGE


def _is_unknown_message(error: DiscordFailedError) -> bool:
    cause = error.__cause__
    return isinstance(cause, discord.NotFound) and cause.code == UNKNOWN_MESSAGE
