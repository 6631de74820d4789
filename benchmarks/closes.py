"""How late whole closes are: from the deadline to the decision, and to the end.

Tickets in PostgreSQL, timers in Redis and transcripts in files, as in a real process; only Discord
is in memory and answers at once, so that this is what Punctual itself adds.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot import connect_domains
from domains.database import Database
from domains.effects import EffectRunner
from domains.scheduled_task import ScheduledTask
from domains.ticket_lifecycle import TicketLifecycle
from domains.transcripts import TranscriptStore
from tests.fakes import FakeTicketChannels

CLOSES = 200
CLOSES_EVERY_MS = 20
GUILDS = 10
STAFF_ID = 1
LONG_HOURS = 48.0
"""Until all have been asked; then the deadlines are moved to soon."""
TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Lateness:
    p50_ms: float
    p99_ms: float

    @staticmethod
    def of(late_ms: Sequence[int]) -> Lateness:
        return Lateness(statistics.median(late_ms), statistics.quantiles(late_ms, n=100)[98])


@dataclass(frozen=True, slots=True)
class Closes:
    decided: Lateness
    ended: Lateness


async def measure_closes(database_url: str, redis_url: str, folder: Path) -> Closes:
    async with _process(database_url, redis_url, folder) as (database, tickets, scheduler):
        ids = [await _ask(tickets, number) for number in range(CLOSES)]
        await _bring_forward(database, scheduler, ids)
        async with asyncio.timeout(TIMEOUT_S):
            while len(ended := await _late(database, "closed")) < CLOSES:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        return Closes(Lateness.of(await _late(database, "expired")), Lateness.of(ended))


@asynccontextmanager
async def _process(
    database_url: str, redis_url: str, folder: Path
) -> AsyncGenerator[tuple[Database, TicketLifecycle, ScheduledTask]]:
    database = Database(lambda: database_url)
    scheduler, effects = ScheduledTask(database, lambda: redis_url), EffectRunner(database)
    transcripts = TranscriptStore(folder / "transcripts")
    tickets = TicketLifecycle(database, FakeTicketChannels(), effects, transcripts)
    connect_domains(database, tickets, scheduler, effects)
    await database.connect()
    try:
        await scheduler.connect()
        await scheduler.initialize()
        effects.start()
        yield database, tickets, scheduler
    finally:
        await scheduler.shutdown()
        await effects.stop(timedelta(seconds=1))
        await database.close()


async def _ask(tickets: TicketLifecycle, number: int) -> int:
    ticket = await tickets.open_ticket(number % GUILDS + 1, 1_000 + number, "It does not work")
    await tickets.request_close(ticket.id, STAFF_ID, None, LONG_HOURS)
    return ticket.id


async def _bring_forward(database: Database, scheduler: ScheduledTask, ids: Sequence[int]) -> None:
    """Each to its own instant, from two seconds on."""
    async with database.connection() as connection:
        await connection.execute(
            """update punctual.close_requests set auto_close_at = date_trunc('milliseconds',
                   now() + interval '2 seconds' + soon.place * $2 * interval '1 millisecond')
               from unnest($1::bigint[]) with ordinality as soon (ticket_id, place)
               where close_requests.ticket_id = soon.ticket_id""",
            ids,
            CLOSES_EVERY_MS,
        )
    await scheduler.on_touched([("ticket", id_) for id_ in ids])


async def _late(database: Database, event: str) -> list[int]:
    async with database.connection() as connection:
        records = await connection.fetch(
            """select late_ms from punctual.ticket_events
               where event = $1 and late_ms is not null""",
            event,
        )
    return [record["late_ms"] for record in records]
