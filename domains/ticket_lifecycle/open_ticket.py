"""Opening a ticket: a row that reserves the number, then the channel, then the first message.

A process killed in between leaves the row and its effects; whoever comes next completes it if its
channel was made, and takes it back if not.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from domains.effects import store as effects
from domains.effects.effect import GaveUpError
from domains.ticket_lifecycle.admission import MemberFacts, why_not
from domains.ticket_lifecycle.channels import (
    CategoriesFullError,
    ChannelError,
    ChannelGoneError,
    ChannelLimitError,
    PermissionMissingError,
)
from domains.ticket_lifecycle.effect_kinds import EffectKind, story
from domains.ticket_lifecycle.errors import (
    AlreadyOpeningError,
    BusyError,
    CannotOpenError,
    NoSubjectError,
)
from domains.ticket_lifecycle.models import GuildSettings, Ticket
from domains.ticket_lifecycle.services import Services
from domains.ticket_lifecycle.store import blocks, guilds, tickets
from domains.ticket_lifecycle.text_input import sanitize
from locales import Text

if TYPE_CHECKING:
    from domains.database import Connection

MAX_SUBJECT_LENGTH = 200
MAX_CONCURRENT = 32
MAX_CONCURRENT_A_GUILD = 4
MAX_WAITING_A_GUILD = 20


class OpenTicket:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._slots = asyncio.Semaphore(MAX_CONCURRENT)
        self._guild_slots = defaultdict[int, asyncio.Semaphore](
            lambda: asyncio.Semaphore(MAX_CONCURRENT_A_GUILD)
        )
        self._waiting = defaultdict[int, int](int)
        self._openers = set[tuple[int, int]]()

    async def open(
        self,
        guild_id: int,
        opener_id: int,
        subject: str,
        member: MemberFacts | None = None,
        opener_locale: str | None = None,
    ) -> Ticket:
        """Raises NoSubject, why the member may not, AlreadyOpening, Busy or CannotOpen; then
        nothing is left behind.

        PostgreSQL tells of an opening that is under way elsewhere; of one here, we know before
        the second has come so far as to ask. Who is refused does not wait in the queue first.
        """
        subject = sanitize(subject, MAX_SUBJECT_LENGTH)
        if not subject:
            raise NoSubjectError
        opener = (guild_id, opener_id)
        if opener in self._openers:
            raise AlreadyOpeningError
        self._openers.add(opener)
        try:
            async with self._services.database.connection() as connection:
                guild = await guilds.settings(connection, guild_id)
                await self._require_admitted(connection, guild, opener_id, member)
            async with self._slot(guild_id):
                return await self._open(guild_id, opener_id, subject, member, opener_locale)
        finally:
            self._openers.remove(opener)

    @asynccontextmanager
    async def _slot(self, guild_id: int) -> AsyncGenerator[None]:
        """One guild's crowd waits for each other, and holds up nobody else."""
        if self._waiting[guild_id] >= MAX_WAITING_A_GUILD + MAX_CONCURRENT_A_GUILD:
            raise BusyError
        self._waiting[guild_id] += 1
        try:
            async with self._guild_slots[guild_id], self._slots:
                yield
        finally:
            self._waiting[guild_id] -= 1
            if not self._waiting[guild_id]:
                del self._waiting[guild_id], self._guild_slots[guild_id]

    async def _open(
        self,
        guild_id: int,
        opener_id: int,
        subject: str,
        member: MemberFacts | None,
        opener_locale: str | None,
    ) -> Ticket:
        ticket = await self._reserve(guild_id, opener_id, subject, member, opener_locale)
        try:
            await self._services.effects.deliver(ticket.id)
        except GaveUpError as error:
            assert isinstance(error.__cause__, ChannelError)
            raise _cannot_open(error.__cause__) from error.__cause__
        except ChannelError:
            pass  # the channel is there, and the rest is told later
        async with self._services.database.connection() as connection:
            opened = await tickets.get(connection, ticket.id)
        if opened is None or opened.channel_id is None:
            raise CannotOpenError(Text("errors.ticket_taken_back"))
        return opened

    async def _require_admitted(
        self,
        connection: Connection,
        guild: GuildSettings,
        opener_id: int,
        member: MemberFacts | None,
    ) -> None:
        """Raises what keeps the member from opening a ticket now."""
        block = await blocks.of_member(connection, guild.guild_id, opener_id)
        standing = await tickets.standing(connection, guild.guild_id, opener_id)
        policy = self._services.policy.effective(guild.policy)
        if (refusal := why_not(policy, member, block, standing)) is not None:
            raise refusal

    async def _reserve(
        self,
        guild_id: int,
        opener_id: int,
        subject: str,
        member: MemberFacts | None,
        opener_locale: str | None,
    ) -> Ticket:
        async with self._services.database.transaction() as transaction:
            connection = transaction.connection
            guild = await guilds.lock(connection, guild_id)
            await self._require_admitted(connection, guild, opener_id, member)
            ticket = await tickets.insert(connection, guild_id, opener_id, subject, opener_locale)
            await effects.add_many(
                connection, [ticket.id], story(EffectKind.OPEN_CHANNEL, EffectKind.WELCOME)
            )
        return ticket


def _cannot_open(error: ChannelError) -> CannotOpenError:
    match error:
        case PermissionMissingError():
            return CannotOpenError(error.text, key="errors.cannot_open_permission")
        case ChannelLimitError() | CategoriesFullError():
            return CannotOpenError(error.text)
        case ChannelGoneError():
            return CannotOpenError(Text("errors.category_gone"))
        case _:
            return CannotOpenError(Text("errors.no_answer"))
