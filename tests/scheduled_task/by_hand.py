"""A queue and a worker whose every step the test takes itself, and whose time it sets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from domains.scheduled_task.job_type import JobRequest, JobType
from domains.scheduled_task.queues import PunctualQueue
from domains.scheduled_task.redis_client import RedisClient
from domains.scheduled_task.redis_health import RedisHealth
from domains.scheduled_task.workers.worker import PunctualWorker

from .redis_view import INSTALLATION_ID, LABEL


@dataclass
class Clock:
    """PostgreSQL's, in the test's hand."""

    time: float = 1_800_000_000.0

    def now(self) -> float:
        return self.time


class Monotonic:
    """In the place of the module `time`, for what counts seconds and not dates."""

    def __init__(self) -> None:
        self.time = 1_000.0

    def monotonic(self) -> float:
        return self.time


class ByHand:
    def __init__(
        self, client: RedisClient, health: RedisHealth, job_types: tuple[JobType, ...]
    ) -> None:
        self.client = client
        self.clock = Clock()
        self.queue = self._queue(client)
        self.health = health
        self.job_types = job_types
        self.worker = self.another_worker()

    def _queue(self, client: RedisClient) -> PunctualQueue:
        return PunctualQueue(client, LABEL, installation_id=INSTALLATION_ID, clock=self.clock.now)

    def another_worker(self) -> PunctualWorker:
        """As if in a process of its own."""
        queue = self._queue(self.client)
        return PunctualWorker(
            queue, self.job_types, self.health, concurrency=1, grace=timedelta(seconds=1)
        )

    async def add(self, job_type: JobType, *requests: JobRequest) -> None:
        for request in requests:
            assert await self.queue.add(job_type, request)

    async def run_due(self) -> int:
        """Run what is due by the clock, one job after the other. Returns how many runs."""
        await self.queue.promote_due()
        waiting = await self.queue.count("queued")
        for _ in range(waiting):
            await self.worker.process()
        return waiting
