"""All timers of all kinds and guilds, and why each fires when it does, or does not."""

from __future__ import annotations

from collections.abc import Sequence

from domains.database import Database
from domains.monitoring import sql
from domains.monitoring.models import TimerLine
from domains.scheduled_task import ScheduledTask


class TimerList:
    def __init__(self, database: Database, scheduled_task: ScheduledTask) -> None:
        self._database = database
        self._scheduled_task = scheduled_task

    async def page(self, limit: int, offset: int) -> Sequence[TimerLine]:
        """Soonest first."""
        timers = await self._scheduled_task.timers.soonest(
            self._scheduled_task.kinds, limit, offset
        )
        async with self._database.connection() as connection:
            contexts = await sql.timer_contexts(connection, [t.owner_id for t in timers])
        return [
            TimerLine(
                timer=timer,
                ticket=context.ticket,
                requested_by_id=context.requested_by_id,
                is_told=context.is_told,
                in_grace=context.in_grace,
            )
            for timer in timers
            if (context := contexts.get(timer.owner_id)) is not None
        ]

    async def count(self) -> int:
        return await self._scheduled_task.timers.count(self._scheduled_task.kinds)
