"""Tickets in PostgreSQL, whose channels are in memory, and a scheduler that closes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bot import connect_domains
from domains.database import Database
from domains.effects import EffectRunner
from domains.scheduled_task import ScheduledTask
from domains.ticket_lifecycle import LifecyclePolicy, TicketLifecycle
from domains.ticket_lifecycle.models import Ticket, TicketStatus
from domains.transcripts import TranscriptStore
from tests.fakes import FakeTicketChannels
from tests.waiting import eventually

if TYPE_CHECKING:
    import asyncpg

GUILD_ID = 1
OPENER_ID = 100
STAFF_ID = 200


class Tickets:
    """`close_with` chooses the scheduler; until then there is none."""

    def __init__(
        self, database: Database, transcripts: Path, channels: FakeTicketChannels | None = None
    ) -> None:
        self._database = database
        self._openers = 0
        self.channels = channels or FakeTicketChannels()
        self.effects = EffectRunner(database)
        self.lifecycle = TicketLifecycle(
            database, self.channels, self.effects, TranscriptStore(transcripts), LifecyclePolicy()
        )

    def close_with(self, scheduler: ScheduledTask) -> ScheduledTask:
        """Effects are delivered as in a real process; who makes this sees to their end."""
        connect_domains(self._database, self.lifecycle, scheduler, self.effects)
        self.effects.start()
        return scheduler

    async def open(self) -> Ticket:
        """Each by another member, so that nobody has too many."""
        self._openers += 1
        return await self.lifecycle.open_ticket(GUILD_ID, OPENER_ID + self._openers, "help")

    async def ask(self, ticket: Ticket, hours: float = 1.0) -> tuple[int, str | None]:
        return await self.lifecycle.request_close(ticket.id, STAFF_ID, None, hours)

    async def let_time_run_out(self, *tickets: Ticket) -> None:
        """Five seconds ago. Their jobs know nothing of it: the key is another one now."""
        await self.execute(
            """update punctual.close_requests set auto_close_at =
                   date_trunc('milliseconds', now() - interval '5 seconds')
               where status = 'pending' and ticket_id = any($1::bigint[])""",
            [ticket.id for ticket in tickets],
        )

    async def status(self, ticket: Ticket) -> TicketStatus:
        found = await self.lifecycle.ticket(ticket.id)
        assert found is not None
        return found.status

    async def is_closed(self, *tickets: Ticket) -> bool:
        return {await self.status(ticket) for ticket in tickets} == {TicketStatus.CLOSED}

    async def closed(self, *tickets: Ticket) -> None:
        """Wait until they are."""

        async def all_of_them() -> bool:
            return await self.is_closed(*tickets)

        await eventually(all_of_them)

    async def execute(self, statement: str, *values: object) -> None:
        async with self._database.connection() as connection:
            await connection.execute(statement, *values)

    async def value(self, query: str, *values: object) -> object:
        async with self._database.connection() as connection:
            return await connection.fetchval(query, *values)

    async def rows(self, query: str, *values: object) -> list[asyncpg.Record]:
        async with self._database.connection() as connection:
            return await connection.fetch(query, *values)
