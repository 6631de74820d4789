"""Makes the jobs in Redis agree with the timers that PostgreSQL wants."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import groupby

from domains.scheduled_task.queues import PunctualQueue
from domains.scheduled_task.redis_queues import RedisQueues
from domains.scheduled_task.timer import Timer
from domains.scheduled_task.timer_kind import TimerKind
from domains.scheduled_task.timers import Timers

log = logging.getLogger(__name__)

BATCH = 500
MAX_LOOKS = 3
"""A job that fails at once is missing again and again."""


class TimerSync:
    def __init__(self, timers: Timers, kinds: Sequence[TimerKind], redis: RedisQueues) -> None:
        self._timers = timers
        self._kinds = kinds
        self._redis = redis

    async def owners(self, owner: str, owner_ids: Sequence[int]) -> list[Timer]:
        """After a change of these owners. Returns the timers there are now."""
        kinds = [kind for kind in self._kinds if kind.owner == owner]
        wanted: list[Timer] = []
        for start in range(0, len(owner_ids), BATCH):
            wanted += await self._some_owners(kinds, owner_ids[start : start + BATCH])
        return wanted

    async def _some_owners(
        self, kinds: Sequence[TimerKind], owner_ids: Sequence[int]
    ) -> Sequence[Timer]:
        """Redis is looked at first: what another transaction adds meanwhile is wanted then, and
        not taken for a leftover. After a change it is all looked at once more: whoever changed the
        owners meanwhile may have looked before it was made."""
        wanted: Sequence[Timer] = ()
        for _ in range(MAX_LOOKS):
            scheduled = await self._scheduled(kinds, owner_ids)
            wanted = await self._timers.of_owners(kinds, owner_ids)
            keys = {timer.key for timer in wanted}
            changes = 0
            for queue in self._redis.by_name.values():
                changes += await queue.cancel_many(
                    [key for key, own in scheduled.items() if own is queue and key not in keys]
                )
            changes += await self.add_missing([t for t in wanted if t.key not in scheduled])
            if not changes:
                break
        return wanted

    async def _scheduled(
        self, kinds: Sequence[TimerKind], owner_ids: Sequence[int]
    ) -> dict[str, PunctualQueue]:
        """The owners' jobs, and where they are."""
        found: dict[str, PunctualQueue] = {}
        for queue in self._redis.by_name.values():
            for key in await queue.keys_about_many(owner_ids):
                kind = _kind_of(key, kinds)
                if kind is not None and kind.queue == queue.label:
                    found[key] = queue
        return found

    async def add_missing(self, timers: Sequence[Timer]) -> int:
        """Put those into their queues that are not in them. Returns how many were not."""
        by_name = {kind.name: kind for kind in self._kinds}
        added = 0
        for name, group in groupby(timers, lambda timer: timer.kind):
            kind = by_name[name]
            queue = self._redis.by_name[kind.queue]
            added += await queue.add_missing(kind, [timer.job for timer in group])
        return added

    async def add_all_missing(self) -> int:
        added = 0
        for kind in self._kinds:
            async for page in self._timers.pages(kind):
                added += await self.add_missing(page)
        return added

    async def remove_orphans(self) -> int:
        """Jobs that nothing in PostgreSQL asks for any more."""
        removed = 0
        for queue in self._redis.by_name.values():
            async for keys in queue.unfinished_keys():
                for kind in self._kinds:
                    own = [key for key in keys if kind.queue == queue.label and kind.owns(key)]
                    if own:
                        removed += await queue.cancel_many(await self._timers.unwanted(kind, own))
        return removed


def _kind_of(key: str, kinds: Sequence[TimerKind]) -> TimerKind | None:
    return next((kind for kind in kinds if kind.owns(key)), None)
