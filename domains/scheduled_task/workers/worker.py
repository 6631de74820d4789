"""SAQ's worker, made a good guest: it leaves the signals alone, drains when it stops, sleeps
until the next deadline, and neither spins nor floods the log while Redis is away."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, ClassVar, cast

from redis.exceptions import RedisError
from saq.job import Job
from saq.worker import Worker

from domains.absence import means_away
from domains.logs import log_about
from domains.retry_policy import AWAY_RETRY
from domains.scheduled_task.job_type import (
    JobType,
    NoRetryError,
    NotDueError,
    UnknownJobTypeError,
)
from domains.scheduled_task.queues.queue import COMES_AGAIN, PROMOTE_BATCH, PunctualQueue
from domains.scheduled_task.redis_health import RedisHealth
from domains.scheduled_task.workers.time_limit import within
from domains.tasks import wait_at_most

log = logging.getLogger(__name__)

DEQUEUE_TIMEOUT_S = 1.0
"""How long a blocked dequeue holds up a shutdown, and the idle polling of each slot."""
IDLE_POLL_S = 1.0
HEARTBEAT_INTERVAL_S = 1
HEARTBEAT_TTL_S = 3
"""A worker without a heartbeat for this long counts as dead; its jobs are given back."""
SWEEP_EVERY_S = 1
AFTER_DUE_S = 0.0005
AFTER_ERROR_S = 5.0

Context = dict[str, Any]
Handler = Callable[..., Awaitable[None]]


class Handlers(dict[str, Handler]):
    """Finds the handler of a job by its name; an unknown name fails at once, without retries."""

    def __missing__(self, name: str) -> Handler:
        async def fail(context: Context, /, **payload: object) -> None:
            job = cast("Job", context["job"])
            log_about(job_id=job.key, ticket_id=payload.get("ticket_id"))
            _end_retries(job)
            error = UnknownJobTypeError(name)
            log.error("%s", error)
            raise error

        return fail


def _end_retries(job: Job) -> None:
    job.retries = job.attempts


class PunctualWorker(Worker[Any]):
    SIGNALS: ClassVar[list[int]] = []  # type: ignore[assignment]  # SAQ would take SIGINT and SIGTERM from the bot

    def __init__(
        self,
        queue: PunctualQueue,
        job_types: Sequence[JobType],
        health: RedisHealth,
        *,
        concurrency: int,
        grace: timedelta,
    ) -> None:
        super().__init__(
            queue,
            [],
            concurrency=concurrency,
            dequeue_timeout=DEQUEUE_TIMEOUT_S,
            shutdown_grace_period_s=int(grace.total_seconds()),
        )
        self.functions = Handlers({job_type.name: _handler(job_type) for job_type in job_types})
        self._punctual_queue = queue
        self._health = health
        self._new_earliest = asyncio.Event()
        self._wakes_at = 0.0
        self._has_heartbeat = False
        self._stuck_until = 0.0

    def wake_for(self, due: float) -> None:
        """A job was added here that may be due before the next look."""
        if due < self._wakes_at:
            self._new_earliest.set()

    async def upkeep(self) -> list[asyncio.Task[None]]:
        """SAQ's own loops log a traceback at every tick while Redis is away."""
        return [
            asyncio.create_task(self._loop(self._promote)),
            asyncio.create_task(self._loop(self._sweep)),
            asyncio.create_task(self._loop(self._record_heartbeat)),
            asyncio.create_task(self._loop(self._abort_asked_for)),
        ]

    async def _loop(self, tick: Callable[[], Awaitable[None]]) -> None:
        while not self.event.is_set():
            await self._health.wait_until_available()
            try:
                await tick()
            except Exception as error:
                await self._met(error)

    async def _promote(self) -> None:
        self._new_earliest.clear()
        self._wakes_at = math.inf  # what is added while we look must not be overlooked
        promotion = await self._punctual_queue.promote_due()
        if promotion.moved == PROMOTE_BATCH:
            return
        now = self._punctual_queue.now()
        self._wakes_at = now + IDLE_POLL_S
        if promotion.next_due is not None:
            self._wakes_at = min(self._wakes_at, promotion.next_due + AFTER_DUE_S)
        await wait_at_most(self._new_earliest, max(0.0, self._wakes_at - now))

    async def _sweep(self) -> None:
        running = {job.key for job in self.job_task_contexts}
        recovered = await self._punctual_queue.recover_lost(str(self.id), running)
        if recovered:
            log.warning("%d jobs of a lost worker will run again", len(recovered))
        await asyncio.sleep(SWEEP_EVERY_S)

    async def _record_heartbeat(self) -> None:
        if self._has_heartbeat and not await self._punctual_queue.has_heartbeat(str(self.id)):
            self._health.note_emptied()
        await self.worker_info(ttl=HEARTBEAT_TTL_S)
        self._has_heartbeat = True
        await asyncio.sleep(HEARTBEAT_INTERVAL_S)

    async def _abort_asked_for(self) -> None:
        """SAQ's own tools can abort a running job."""
        await asyncio.sleep(IDLE_POLL_S)
        await self.abort(IDLE_POLL_S)

    async def process(self) -> bool:
        """Back off on Redis errors: they must not end the slot, nor make it spin."""
        await self._health.wait_until_available()
        try:
            took_a_job = await super().process()
        except (RedisError, OSError) as error:
            await self._met(error)
            return False
        if (error := self._punctual_queue.take_dequeue_error()) is not None:
            await self._met(error)
        return took_a_job

    @property
    def is_stuck(self) -> bool:
        """Redis is there, but does not hand out jobs: overdue ones have to run without it."""
        return time.monotonic() < self._stuck_until

    async def _met(self, error: Exception) -> None:
        if not self._health.report(error):
            if not self.is_stuck:
                log.error("The worker cannot go on and tries again soon", exc_info=error)
            self._stuck_until = time.monotonic() + 2 * AFTER_ERROR_S
            await asyncio.sleep(AFTER_ERROR_S)

    async def stop(self) -> None:
        """Let running jobs finish, then end the rest at once.

        SAQ's own stop() waits its whole grace for loops that sleep, and strands a job that
        arrives meanwhile.
        """
        self.event.set()
        self._health.release()
        slots = [task for task in self.tasks if task.get_name() == "process"]
        if slots:
            await asyncio.wait(slots, timeout=self._shutdown_grace_period_s or 0)
        self._shutdown_grace_period_s = 0
        await super().stop()


def _handler(job_type: JobType) -> Handler:
    async def handle(context: Context, /, **payload: object) -> None:
        job = cast("Job", context["job"])
        log_about(job_id=job.key, ticket_id=payload.get("ticket_id"))
        try:
            await within(job_type.policy.timeout, job_type.run(payload))
        except NotDueError as early:
            job.attempts -= 1
            job.retry_delay = early.remaining.total_seconds()
            job.meta[COMES_AGAIN] = True
            raise
        except NoRetryError:
            _end_retries(job)
            raise
        except Exception as error:
            if means_away(error):
                # No failure of the job: it goes on as soon as what it needs is back.
                job.attempts -= 1
                job.retry_delay = AWAY_RETRY.total_seconds()
                raise
            # SAQ's own backoff has full jitter; ours is exact.
            job.retry_delay = job_type.policy.delay_after(job.attempts).total_seconds()
            if not job.retryable:
                await job_type.give_up(payload, error)
            raise

    return handle
