"""One object that reads it all: PostgreSQL for the truth, Redis for the alarms, and the gateway.

Whatever is away is left out, not waited for: an operator looks most when something is broken.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from domains.database import Database, DatabaseUnavailable
from domains.disk_space import DiskSpace
from domains.errors import OperatorError
from domains.monitoring import sql, ticket_list
from domains.monitoring import trends as trend
from domains.monitoring.gateway import Gateway, latency_of
from domains.monitoring.health import Health, Problem, Trouble
from domains.monitoring.models import (
    Dependency,
    LateClose,
    TabCounts,
    TicketLine,
    TimerLine,
    TimersOfKind,
)
from domains.monitoring.ticket_list import TicketFilter, TicketPage
from domains.monitoring.timer_list import MAX_OVERDUE, OVERDUE_FOR, TimerList
from domains.scheduled_task import ScheduledTask
from domains.scheduled_task.inspection import (
    Inspection,
    JobState,
    JobView,
    NotStartedError,
    QueueView,
    RedisAwayError,
)
from domains.scheduled_task.timer import Timer
from domains.ticket_lifecycle.discord_status import DiscordStatus

if TYPE_CHECKING:
    from domains.database import Connection

QUERY_TIMEOUT_S = 3.0
LAST_CLOSES = 8
MAX_COUNTED = 1_000
"""Beside a tab: beyond it, `many` is all there is to say."""
SHOWN = 8
SOONEST = 50
"""Of which those that wait for a person are left out."""
HOURS = 72
HOUR_S = 3600


class PostgreSQLAwayError(OperatorError):
    def __init__(self) -> None:
        super().__init__("PostgreSQL is not available at the moment.")


@dataclass(frozen=True, slots=True)
class DatabaseSnapshot:
    """What PostgreSQL knows."""

    overdue: int
    attention_count: int
    attention: Sequence[TicketLine]
    next_timers: Sequence[TimerLine]
    last_closes: Sequence[LateClose]
    """Timed ones, newest first; how late they were decided."""
    headline: trend.Figures
    today: trend.Trends
    effects: Mapping[str, int]
    """What Discord is still to be told, by what it waits for."""
    timers_by_hour: Sequence[int]


@dataclass(frozen=True, slots=True)
class Overview:
    dependencies: Sequence[Dependency]
    gateway_latency_s: float | None
    now: datetime
    database: DatabaseSnapshot | None
    """None while PostgreSQL is away."""
    queues: Sequence[QueueView] | None
    """None while Redis is away."""


class Monitor:
    def __init__(
        self,
        database: Database,
        scheduled_task: ScheduledTask,
        inspection: Inspection,
        gateway: Gateway,
        discord_status: DiscordStatus,
        *,
        disk_space: DiskSpace,
    ) -> None:
        self._database = database
        self._scheduled_task = scheduled_task
        self._inspection = inspection
        self._timers = TimerList(database, scheduled_task)
        self._gateway = gateway
        self._discord_status = discord_status
        self.disk_space = disk_space

    def now(self) -> datetime:
        """By PostgreSQL's clock, as all deadlines are."""
        return self._database.clock.moment()

    @property
    def gateway_latency_s(self) -> float | None:
        """None while Discord is away. (discord.py keeps the last latency, and stays ready.)"""
        return latency_of(self._gateway) if self._discord_status.connected else None

    @property
    def job_names(self) -> Collection[str]:
        """All types of jobs that there are."""
        return self._scheduled_task.job_types

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[Connection]:
        """A connection to read with, within `query_timeout`."""
        async with self.query_timeout(), self._database.connection() as connection:
            yield connection

    @asynccontextmanager
    async def query_timeout(self) -> AsyncGenerator[None]:
        """Raises PostgreSQLAway soon rather than wait for PostgreSQL."""
        try:
            async with asyncio.timeout(QUERY_TIMEOUT_S):
                yield
        except (*DatabaseUnavailable, TimeoutError, RuntimeError) as error:
            raise PostgreSQLAwayError from error

    async def dependencies(self) -> Sequence[Dependency]:
        """The disk is among them only while it is full: nobody waits for it at a start."""
        always = [await self._postgresql(), self._redis(), self._discord()]
        problem = self.disk_space.problem
        return [*always, Dependency("Disk", problem)] if problem else always

    async def _postgresql(self) -> Dependency:
        try:
            async with self.reading() as connection:
                await sql.server_version(connection)
        except PostgreSQLAwayError as error:
            return Dependency("PostgreSQL", f"does not answer ({type(error.__cause__).__name__})")
        return Dependency("PostgreSQL", "")

    def _redis(self) -> Dependency:
        if self._scheduled_task.available:
            return Dependency("Redis", "")
        if not self._scheduled_task.queues:
            return Dependency("Redis", "not looked at yet; the scheduler waits for Discord")
        return Dependency("Redis", "not available; deadlines are kept by PostgreSQL")

    def _discord(self) -> Dependency:
        return Dependency("Discord", "" if self.gateway_latency_s is not None else "not connected")

    async def overview(self) -> Overview:
        dependencies = await self.dependencies()
        queues = await self.queues()
        return Overview(
            dependencies=dependencies,
            gateway_latency_s=self.gateway_latency_s,
            now=self.now(),
            database=await self._database_snapshot() if dependencies[0].is_there else None,
            queues=queues,
        )

    async def queues(self) -> Sequence[QueueView] | None:
        """None while Redis is away; none at all before the scheduler has started."""
        try:
            return await self._inspection.queues()
        except NotStartedError:
            return []
        except RedisAwayError:
            return None

    async def _database_snapshot(self) -> DatabaseSnapshot | None:
        try:
            by_hour = await self._due_by_hour()
            soonest = await self.timers(SOONEST, 0)
            async with self.reading() as connection:
                return DatabaseSnapshot(
                    overdue=await sql.overdue_count(connection, OVERDUE_FOR, MAX_OVERDUE),
                    attention_count=await sql.attention_count(connection),
                    attention=await sql.tickets_needing_attention(connection, SHOWN),
                    next_timers=[each for each in soonest if not each.needs_person][:SHOWN],
                    last_closes=await sql.last_closes(connection, "expired", LAST_CLOSES),
                    headline=await trend.headline(connection, self.now()),
                    today=await trend.trends(connection, trend.Span.DAY, self.now()),
                    effects=await sql.effect_counts(connection),
                    timers_by_hour=by_hour,
                )
        except PostgreSQLAwayError:
            return None

    async def _due_by_hour(self) -> Sequence[int]:
        """From the alarms, which are counted without being looked at; without Redis, by reading
        the timers."""
        start = int(self._database.clock.now()) // HOUR_S * HOUR_S
        times = [float(start + hour * HOUR_S) for hour in range(HOURS + 1)]
        try:
            return await self._inspection.due_counts(times)
        except RedisAwayError:
            async with self.query_timeout():
                return await self._timers.due_counts(
                    [datetime.fromtimestamp(each, UTC) for each in times]
                )

    async def health(self) -> Health:
        """What is broken now, worst first, and what stands beside the names of the pages."""
        queues = await self.queues()
        jobs = [queue.counts for queue in queues or ()]
        problems: list[Problem] = []
        unclosed = attention = None
        try:
            async with self.reading() as connection:
                overdue = await sql.overdue_count(connection, OVERDUE_FOR, MAX_OVERDUE)
                unclosed = await sql.unclosed_count(connection, MAX_COUNTED)
                attention = await sql.attention_count(connection)
        except PostgreSQLAwayError:
            problems.append(Problem(Trouble.NO_POSTGRESQL))
        else:
            problems += _if_any(Trouble.OVERDUE, overdue) + _if_any(Trouble.ATTENTION, attention)
        failed = sum(counts[JobState.FAILED] for counts in jobs)
        problems += _if_any(Trouble.FAILED_JOBS, failed)
        if queues is None:
            problems.append(Problem(Trouble.NO_REDIS))
        elif queues and not any(queue.workers for queue in queues):
            problems.append(Problem(Trouble.NO_WORKER))
        if self.gateway_latency_s is None:
            problems.append(Problem(Trouble.NO_DISCORD))
        if self.disk_space.problem:
            problems.append(Problem(Trouble.DISK, detail=self.disk_space.problem))
        order = list(Trouble)
        return Health(
            tuple(sorted(problems, key=lambda problem: order.index(problem.trouble))),
            TabCounts(
                unclosed=unclosed,
                timers=sum(counts[JobState.DELAYED] for counts in jobs) if jobs else None,
                attention=attention,
                failed_jobs=failed if jobs else None,
            ),
        )

    async def tickets(self, chosen: TicketFilter, before: int | None, limit: int) -> TicketPage:
        """A page of the tickets that it is narrowed to, newest first."""
        async with self.reading() as connection:
            return await ticket_list.page(connection, chosen, before, limit)

    async def ticket_lines(self, ticket_ids: Sequence[int]) -> Mapping[int, TicketLine]:
        """Of those that there are."""
        async with self.reading() as connection:
            contexts = await sql.timer_contexts(connection, ticket_ids)
        return {id_: context.ticket for id_, context in contexts.items()}

    async def servers(self) -> Sequence[int]:
        """Those that have tickets."""
        async with self.reading() as connection:
            return await ticket_list.servers(connection)

    async def trends(self, span: trend.Span) -> trend.Trends:
        async with self.reading() as connection:
            return await trend.trends(connection, span, self.now())

    async def headline(self) -> trend.Figures:
        """How it went in the last 30 days."""
        async with self.reading() as connection:
            return await trend.headline(connection, self.now())

    async def attention(self, limit: int, offset: int) -> tuple[Sequence[TicketLine], int]:
        async with self.reading() as connection:
            return (
                await sql.tickets_needing_attention(connection, limit, offset),
                await sql.attention_count(connection),
            )

    async def timers(self, limit: int, offset: int) -> Sequence[TimerLine]:
        async with self.query_timeout():
            return await self._timers.page(limit, offset)

    async def timer_count(self) -> int:
        async with self.query_timeout():
            return await self._timers.count()

    async def timers_of_ticket(self, ticket_id: int) -> Sequence[Timer]:
        async with self.query_timeout():
            return await self._timers.of_ticket(ticket_id)

    async def timers_of_kinds(self) -> Sequence[TimersOfKind]:
        async with self.query_timeout():
            return await self._timers.of_kinds()

    async def find_tickets(self, number: int, limit: int) -> Sequence[TicketLine]:
        async with self.reading() as connection:
            return await sql.find_tickets(connection, number, limit)

    async def jobs_of(self, ticket_id: int) -> Sequence[JobView] | None:
        """None while Redis is away."""
        try:
            return await self._inspection.about(ticket_id)
        except RedisAwayError:
            return None


def _if_any(trouble: Trouble, number: int) -> list[Problem]:
    return [Problem(trouble, number)] if number else []
