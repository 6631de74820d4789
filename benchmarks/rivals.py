"""What is compared, behind one face: Punctual's queue and worker, and SAQ's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any, ClassVar, Protocol, cast

from redis.asyncio import Redis
from saq.queue.redis import RedisQueue
from saq.worker import Worker

from domains.database import DatabaseClock
from domains.scheduled_task.job_type import JobRequest, JobType, Payload, RunPolicy
from domains.scheduled_task.queues import PunctualQueue
from domains.scheduled_task.redis_client import connect
from domains.scheduled_task.redis_health import RedisHealth
from domains.scheduled_task.workers.worker import DEQUEUE_TIMEOUT_S, PunctualWorker
from domains.tasks import cancel

Run = Callable[[str], Awaitable[None]]
"""What a job does; it gets its key."""

INSTALLATION = "benchmark"
QUEUE = "benchmark"
JOB_TIMEOUT_S = 10
CONCURRENCY = 10


class Rival(Protocol):
    name: str
    active: str
    """The list in Redis of the jobs that are under way."""

    async def schedule(self, key: str, due: float) -> None: ...
    async def cancel(self, key: str) -> None: ...
    def working(self, run: Run) -> AbstractAsyncContextManager[None]:
        """A worker runs as long as this is entered."""
        ...

    async def close(self) -> None: ...


class _Job(JobType):
    name: ClassVar[str] = "job"
    policy: ClassVar[RunPolicy] = RunPolicy(
        timeout=timedelta(seconds=JOB_TIMEOUT_S), keep_completed=False
    )

    def __init__(self, run: Run) -> None:
        self._run = run

    async def run(self, payload: Payload) -> None:
        await self._run(str(payload["key"]))


async def _nothing(_: str) -> None:
    return


class Punctual:
    """As `ScheduledTask` wires it, but for PostgreSQL."""

    name = "Punctual"
    active = f"saq:{INSTALLATION}:{QUEUE}:active"

    def __init__(self, url: str) -> None:
        self._url = url
        self._clock = DatabaseClock().now
        self._producer = connect(url, socket_timeout=2)
        self._queue = PunctualQueue(
            self._producer, QUEUE, installation_id=INSTALLATION, clock=self._clock
        )
        self._job = _Job(_nothing)
        self._worker: PunctualWorker | None = None

    async def schedule(self, key: str, due: float) -> None:
        assert await self._queue.add(self._job, JobRequest(key, due, 1, {"key": key}))
        if self._worker is not None:
            self._worker.wake_for(due)

    async def cancel(self, key: str) -> None:
        assert await self._queue.cancel(key)

    @asynccontextmanager
    async def working(self, run: Run) -> AsyncGenerator[None]:
        client = connect(self._url, socket_timeout=DEQUEUE_TIMEOUT_S + 3)
        health = RedisHealth(self._producer, INSTALLATION)
        assert await health.check()
        self._worker = worker = PunctualWorker(
            PunctualQueue(client, QUEUE, installation_id=INSTALLATION, clock=self._clock),
            [_Job(run)],
            health,
            concurrency=CONCURRENCY,
            grace=timedelta(seconds=1),
        )
        running = asyncio.create_task(worker.start())
        watching = asyncio.create_task(health.watch(self._redis_returned))
        try:
            yield
        finally:
            self._worker = None
            await worker.stop()
            await cancel(running, watching)
            await client.aclose()

    async def _redis_returned(self) -> None:
        """There is nothing to reconcile with."""

    async def close(self) -> None:
        await self._producer.aclose()


class _GuestWorker(Worker[Any]):
    SIGNALS: ClassVar[list[int]] = []  # type: ignore[assignment]  # they are this program's


class StockSaq:
    name = "SAQ 0.26.4"
    active = f"saq:{QUEUE}:active"

    def __init__(self, url: str) -> None:
        self._url = url
        self._queue = self._new_queue()

    def _new_queue(self) -> RedisQueue:
        client: object = Redis.from_url(self._url)  # pyright: ignore[reportUnknownMemberType]
        return RedisQueue(cast("Any", client), name=QUEUE)

    async def schedule(self, key: str, due: float) -> None:
        assert await self._queue.enqueue(
            "job", key=key, scheduled=due, timeout=JOB_TIMEOUT_S, retries=4, ttl=-1
        )

    async def cancel(self, key: str) -> None:
        job = await self._queue.job(key)
        assert job is not None
        await job.abort("cancelled")

    @asynccontextmanager
    async def working(self, run: Run) -> AsyncGenerator[None]:
        async def handle(context: dict[str, Any]) -> None:
            await run(context["job"].key)

        queue = self._new_queue()
        worker = _GuestWorker(queue, [("job", handle)], concurrency=CONCURRENCY)
        running = asyncio.create_task(worker.start())
        try:
            yield
        finally:
            await worker.stop()
            await cancel(running)
            await queue.disconnect()

    async def close(self) -> None:
        await self._queue.disconnect()


RIVALS: tuple[type[Punctual | StockSaq], ...] = (Punctual, StockSaq)
