"""What servers, members and channels are called, out of what the gateway has told.

Without the members intent it tells of few members by itself, so those who are asked for are looked
up, many at once and in the background: their names are there the next time.
"""

from __future__ import annotations

import asyncio
import logging
import unicodedata
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import discord

from cogs.text import shorten
from domains.tasks import detached
from domains.ticket_lifecycle.text_input import sanitize

log = logging.getLogger(__name__)

MAX_NAME = 40
MAX_KNOWN = 10_000
MAX_ASKED = 100
"""Members a request, by Discord."""
MAX_WAITING = 1_000
PAUSE_S = 1.0
"""The gateway takes two events a second, and heartbeats are among them."""
ERRORS = (discord.DiscordException, asyncio.TimeoutError, OSError)

Member = tuple[int, int]
"""Server and user."""


class KnownNames:
    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._known: OrderedDict[Member, str | None] = OrderedDict()
        """None: Discord does not know such a member."""
        self._waiting: dict[Member, None] = {}
        self._looking: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many members are still to be looked up."""
        return len(self._waiting)

    def server(self, guild_id: int, /) -> str | None:
        guild = self._client.get_guild(guild_id)
        return printable(guild.name) if guild is not None else None

    def channel(self, guild_id: int, channel_id: int, /) -> str | None:
        guild = self._client.get_guild(guild_id)
        channel = guild.get_channel_or_thread(channel_id) if guild is not None else None
        return printable(channel.name) if channel is not None else None

    def member(self, guild_id: int, user_id: int, /) -> str | None:
        guild = self._client.get_guild(guild_id)
        member = guild.get_member(user_id) if guild is not None else None
        user = member or self._client.get_user(user_id)
        if user is not None:
            return self._note((guild_id, user_id), user)
        if (guild_id, user_id) in self._known:
            return self._known[guild_id, user_id]
        if guild is not None and len(self._waiting) < MAX_WAITING:
            self._waiting[guild_id, user_id] = None
            if self._looking is None or self._looking.done():
                self._looking = detached(self._look_up())
        return None

    def servers(self) -> Mapping[int, str]:
        return {guild.id: printable(guild.name) or str(guild.id) for guild in self._client.guilds}

    def members_named(self, text: str, limit: int, /) -> Sequence[int]:
        wanted = text.casefold()
        found = {
            user_id: None
            for (_, user_id), name in reversed(self._known.items())
            if name is not None and wanted in name.casefold()
        }
        return list(found)[:limit]

    def _note(self, key: Member, user: discord.abc.User | None) -> str | None:
        name = printable(user.display_name) if user is not None else None
        self._known[key] = name
        self._known.move_to_end(key)
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return name

    async def _look_up(self) -> None:
        while self._waiting:
            guild_id = next(iter(self._waiting))[0]
            asked = [key for key in self._waiting if key[0] == guild_id][:MAX_ASKED]
            for key in asked:
                del self._waiting[key]
            guild = self._client.get_guild(guild_id)
            if guild is None:
                continue
            try:
                members = await guild.query_members(
                    user_ids=[user_id for _, user_id in asked], limit=MAX_ASKED, cache=False
                )
            except ERRORS as error:
                log.debug("Names of members in guild %s could not be had: %s", guild_id, error)
                continue
            found = {member.id: member for member in members}
            for key in asked:
                self._note(key, found.get(key[1]))
            await asyncio.sleep(PAUSE_S)


def printable(name: str) -> str | None:
    """One short line without anything that turns the direction of writing; None if nothing is
    left of it."""
    one_line = " ".join(name.split())
    visible = "".join(
        c for c in one_line if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"}
    )
    return shorten(sanitize(visible, 4 * MAX_NAME), MAX_NAME) or None
