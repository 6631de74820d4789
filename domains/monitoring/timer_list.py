"""All timers of all kinds and guilds, and why each fires when it does, or does not."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from domains.database import Database
from domains.monitoring import sql
from domains.monitoring.models import TimerLine, TimersOfKind
from domains.scheduled_task import ScheduledTask
from domains.scheduled_task.timer import Timer
from domains.scheduled_task.timer_kind import TimerKind
from domains.ticket_lifecycle.transitions import TICKET

OVERDUE_FOR = timedelta(seconds=1)
"""The worker is given this long before a timer counts as missed."""
MAX_OVERDUE = 1_000
CHEAP_S = 0.02
COUNT_PAUSE = 50
"""Counting reads them all. Where that is not cheap, the figures are good for so many times as long
as it took."""


class TimerList:
    def __init__(self, database: Database, scheduled_task: ScheduledTask) -> None:
        self._database = database
        self._scheduled_task = scheduled_task
        self._counted: dict[str, int] = {}
        self._count_again_at = 0.0

    async def page(self, limit: int, offset: int) -> Sequence[TimerLine]:
        """Soonest first."""
        timers = await self._scheduled_task.timers.soonest(
            self._scheduled_task.kinds, limit, offset
        )
        of_tickets = {kind.name for kind in self._kinds_of_tickets()}
        ids = {timer.owner_id for timer in timers if timer.kind in of_tickets}
        async with self._database.connection() as connection:
            contexts = await sql.timer_contexts(connection, sorted(ids))
        return [
            TimerLine(timer, contexts.get(timer.owner_id) if timer.kind in of_tickets else None)
            for timer in timers
        ]

    async def of_ticket(self, ticket_id: int) -> Sequence[Timer]:
        """Those that PostgreSQL wants, soonest first."""
        timers = await self._scheduled_task.timers.of_owners(self._kinds_of_tickets(), [ticket_id])
        return sorted(timers, key=lambda timer: (timer.due, timer.kind))

    async def count(self) -> int:
        return sum((await self._count_kinds()).values())

    async def of_kinds(self) -> Sequence[TimersOfKind]:
        counted, timers = await self._count_kinds(), self._scheduled_task.timers
        return [
            TimersOfKind(
                kind.name,
                counted.get(kind.name, 0),
                len(await timers.overdue(kind, OVERDUE_FOR, MAX_OVERDUE)),
            )
            for kind in self._scheduled_task.kinds
        ]

    async def due_counts(self, times: Sequence[datetime]) -> Sequence[int]:
        """How many are due from each of these times to the next."""
        return await self._scheduled_task.timers.due_counts(self._scheduled_task.kinds, times)

    def _kinds_of_tickets(self) -> Sequence[TimerKind]:
        return [kind for kind in self._scheduled_task.kinds if kind.owner == TICKET]

    async def _count_kinds(self) -> dict[str, int]:
        began = time.monotonic()
        if began >= self._count_again_at:
            self._counted = {
                kind.name: await self._scheduled_task.timers.count([kind])
                for kind in self._scheduled_task.kinds
            }
            took = time.monotonic() - began
            self._count_again_at = began + COUNT_PAUSE * took if took > CHEAP_S else 0.0
        return self._counted
