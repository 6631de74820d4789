"""Which channels are open tickets, in memory: most messages of a server are in none.

Another process may have opened a ticket that is not known here yet; its channel carries our mark,
and whoever sees that asks PostgreSQL, once.
"""

from __future__ import annotations

import asyncio

from domains.database import Database
from domains.ticket_lifecycle.models import Ticket
from domains.ticket_lifecycle.store import tickets


class TicketChannelIndex:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._openers: dict[int, int] | None = None
        self._learning = asyncio.Lock()

    async def may_be_answer(
        self, guild_id: int, channel_id: int, author_id: int, *, is_marked: bool
    ) -> bool:
        """Whether PostgreSQL has to be asked: it is a ticket's channel, and its opener wrote."""
        if not await self.may_be_ticket(guild_id, channel_id, is_marked=is_marked):
            return False
        return self._openers is None or self._openers.get(channel_id) == author_id

    async def may_be_ticket(self, guild_id: int, channel_id: int, *, is_marked: bool) -> bool:
        """Whether PostgreSQL has to be asked."""
        if self._openers is None:
            return True
        if is_marked and channel_id not in self._openers:
            async with self._learning:
                if channel_id not in self._openers:
                    await self._learn(guild_id, channel_id)
        return channel_id in self._openers

    async def _learn(self, guild_id: int, channel_id: int) -> None:
        async with self._database.connection() as connection:
            ticket = await tickets.in_channel(connection, guild_id, channel_id)
        if ticket is not None:
            self.add(ticket)

    async def load(self) -> None:
        async with self._database.connection() as connection:
            self._openers = dict(await tickets.channels(connection))

    def add(self, ticket: Ticket) -> None:
        if self._openers is not None and ticket.channel_id is not None:
            self._openers[ticket.channel_id] = ticket.opener_id

    def remove(self, channel_id: int) -> None:
        if self._openers is not None:
            self._openers.pop(channel_id, None)
