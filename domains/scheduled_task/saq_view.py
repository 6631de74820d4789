"""What SAQ's own web page asks for, of queues that may not be there yet or any more.

The page's two buttons are not served from here: SAQ's retry starts a running job twice and keeps
the attempts, and its abort leaves records behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from saq.job import Job
from saq.web import common

from domains.scheduled_task.inspection import UnknownJobError, asking
from domains.scheduled_task.queues import PunctualQueue
from domains.scheduled_task.scheduled_task import ScheduledTask

SAQ_STATIC: Path = common.STATIC_PATH
JOBS_SHOWN = 10


class SaqView:
    def __init__(self, scheduled_task: ScheduledTask) -> None:
        self._scheduled_task = scheduled_task

    async def queues(self) -> list[Mapping[str, Any]]:
        """Raises RedisAway, as all that follows does."""
        with asking(self._scheduled_task):
            return [
                cast("Mapping[str, Any]", await queue.info())
                for queue in self._scheduled_task.queues.values()
            ]

    async def queue(self, name: str) -> Mapping[str, Any]:
        """Raises UnknownJob if there is no such queue."""
        with asking(self._scheduled_task):
            info = await self._queue(name).info(jobs=True, limit=JOBS_SHOWN)
        jobs = [{**job, "kwargs": repr(job.get("kwargs"))} for job in info["jobs"]]
        return {**info, "jobs": jobs}

    async def job(self, queue_name: str, key: str) -> Mapping[str, Any]:
        with asking(self._scheduled_task):
            job = await self._queue(queue_name).job(key)
        if job is None:
            raise UnknownJobError(key)
        job_dict = cast("Callable[[Job], Mapping[str, Any]]", common.job_dict)  # pyright: ignore[reportUnknownMemberType]
        return job_dict(job)

    def _queue(self, name: str) -> PunctualQueue:
        queue = self._scheduled_task.queues.get(name)
        if queue is None:
            raise UnknownJobError(name)
        return queue
