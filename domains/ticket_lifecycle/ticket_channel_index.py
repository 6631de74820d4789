"""Which channels are open tickets, in memory: most messages of a server are in none.

Another process may have opened a ticket that is not known here yet; its channel carries our mark,
and whoever sees that asks PostgreSQL.
"""

from __future__ import annotations

from domains.database import Database
from domains.ticket_lifecycle.models import Ticket
from domains.ticket_lifecycle.store import tickets


class TicketChannelIndex:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._openers: dict[int, int] | None = None

    def may_be_answer(self, channel_id: int, author_id: int, *, is_marked: bool) -> bool:
        """Whether PostgreSQL has to be asked: it is a ticket's channel, and its opener wrote."""
        if self._openers is None:
            return True
        opener_id = self._openers.get(channel_id)
        return is_marked if opener_id is None else opener_id == author_id

    async def load(self) -> None:
        async with self._database.connection() as connection:
            self._openers = dict(await tickets.channels(connection))

    def add(self, ticket: Ticket) -> None:
        if self._openers is not None and ticket.channel_id is not None:
            self._openers[ticket.channel_id] = ticket.opener_id

    def remove(self, channel_id: int) -> None:
        if self._openers is not None:
            self._openers.pop(channel_id, None)
