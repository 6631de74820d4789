"""The scheduler: queues and workers on Redis, held to what PostgreSQL says.

PostgreSQL is the truth and Redis the alarm clock. So nothing here is needed for a decision to be
right; it is needed for the decision to come on time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from redis.exceptions import RedisError
from saq.job import Status

from domains.database import Database, DatabaseUnavailable
from domains.monitoring.telemetry import NO_TELEMETRY, Telemetry
from domains.outage_log import OutageLog
from domains.scheduled_task.job_type import TICKET_LIFECYCLE, JobRequest, JobType
from domains.scheduled_task.jobs.auto_close import AutoClose, auto_close_job
from domains.scheduled_task.queues import PunctualQueue
from domains.scheduled_task.redis_client import RedisClient, connect
from domains.scheduled_task.redis_health import RedisHealth
from domains.scheduled_task.workers.local_runner import LocalRunner
from domains.scheduled_task.workers.worker import DEQUEUE_TIMEOUT_S, PunctualWorker
from domains.tasks import cancel, detached
from domains.ticket_lifecycle.models import CloseTimer

log = logging.getLogger(__name__)

GRACE = timedelta(seconds=20)
"""How long running jobs may take to finish at a shutdown."""
WATCH_DEADLINES_EVERY_S = 2.0
WATCH_DEADLINES_WITHOUT_REDIS_EVERY_S = 0.5
HEARTBEAT_INTERVAL_S = 2.0
RESUME_EVERY_S = 5.0
RECONCILE_EVERY_S = 60.0
RECONCILE_SOONEST_S = 10.0
RECONCILE_PAUSE = 100
"""The pause after a reconciliation, as a multiple of the time that it took."""
SYNC_CLOCK_EVERY_S = 10.0
OVERDUE_PAGE = 500
MAX_REQUEUED = 20
"""Looking for a job in the lists is linear; the most overdue come first."""


@dataclass(frozen=True, slots=True)
class JobCounts:
    """Also readable as a mapping, `counts["delayed"]`, as from other job queues."""

    waiting: int = 0
    delayed: int = 0
    active: int = 0
    completed: int = 0
    failed: int = 0

    def __getitem__(self, state: str) -> int:
        return getattr(self, state)


class ScheduledTask:
    def __init__(
        self,
        database: Database,
        redis_url: Callable[[], str | None],
        *,
        concurrency: int = 5,
        grace: timedelta = GRACE,
        telemetry: Telemetry = NO_TELEMETRY,
    ) -> None:
        self._database = database
        self._redis_url = redis_url
        self._concurrency = concurrency
        self._grace = grace
        self._telemetry = telemetry
        self._job_types: dict[str, JobType] = {}
        self._clients: list[RedisClient] = []
        self._health: RedisHealth | None = None
        self._queues: dict[str, PunctualQueue] = {}
        self._workers: dict[PunctualWorker, asyncio.Task[None]] = {}
        self._background: list[asyncio.Task[None]] = []
        self._local = LocalRunner(concurrency, telemetry)
        self._starting = asyncio.Lock()
        self._reconciling = asyncio.Lock()
        self._running = False
        self._database_outage = OutageLog(
            log,
            "PostgreSQL not available - nothing can be decided until it is back",
            "PostgreSQL is back",
            on_loss=lambda: telemetry.dependency_lost("postgresql"),
        )

    def register(self, job_types: Sequence[JobType]) -> None:
        """Say what jobs there are; to be called once, before `initialize`."""
        self._job_types.update({job_type.name: job_type for job_type in job_types})

    # --- life

    @property
    def available(self) -> bool:
        """Whether Redis keeps the timers now. Without it PostgreSQL's sweep does."""
        return self._health is not None and self._health.available

    @property
    def queues(self) -> Mapping[str, PunctualQueue]:
        """By name; none before `initialize` and after `shutdown`."""
        return self._queues

    @property
    def job_types(self) -> Mapping[str, JobType]:
        return self._job_types

    async def connect(self) -> bool:
        """Reach Redis and run nothing, for a process that only looks on. True if it is there;
        `shutdown` ends it."""
        async with self._starting:
            self._running = True
            url = self._redis_url()
            return url is not None and await self._connect(url).check()

    async def initialize(self) -> None:
        """Check Redis, start the workers and the watch over them. Safe to call many times, and
        never raises because Redis is down: it is taken up when it comes."""
        async with self._starting:
            if self._running:
                return
            self._running = True
            await self._guarded(self._record_heartbeat())
            url = self._redis_url()
            if url is None:
                log.warning("Redis not available - scheduled tasks will be disabled")
            else:
                health = self._connect(url)
                if await health.check():
                    self._start_workers()
                self._in_background(health.watch(self._redis_returned))
            self._in_background(self._keep_heartbeat())
            self._in_background(self._watch_deadlines())
            self._in_background(self._maintain())
            self._in_background(self._keep_reconciled())

    def _connect(self, url: str) -> RedisHealth:
        producer = self._client(url, socket_timeout=2.0)
        self._health = RedisHealth(producer, lambda: self._telemetry.dependency_lost("redis"))
        names = {TICKET_LIFECYCLE, *(job_type.queue for job_type in self._job_types.values())}
        self._queues = {
            name: PunctualQueue(producer, name, clock=self._database.clock.now) for name in names
        }
        return self._health

    def _client(self, url: str, *, socket_timeout: float) -> RedisClient:
        client = connect(url, socket_timeout=socket_timeout)
        self._clients.append(client)
        return client

    def _start_workers(self) -> None:
        assert self._health is not None
        url = self._redis_url()
        assert url is not None
        for name in self._queues:
            # A blocked dequeue holds its connection, so the worker has a client of its own.
            client = self._client(url, socket_timeout=DEQUEUE_TIMEOUT_S + 3)
            worker = PunctualWorker(
                PunctualQueue(
                    client, name, clock=self._database.clock.now, telemetry=self._telemetry
                ),
                [job_type for job_type in self._job_types.values() if job_type.queue == name],
                self._health,
                concurrency=self._concurrency,
                grace=self._grace,
            )
            self._workers[worker] = detached(worker.start())
        log.info("✅ Scheduled task system initialized")

    async def shutdown(self) -> None:
        """Stop taking jobs, let running ones finish, close the connections. Safe to call twice."""
        async with self._starting:
            if not self._running:
                return
            self._running = False
            await cancel(*self._background)
            self._background.clear()
            await asyncio.gather(
                self._local.drain(self._grace), *(worker.stop() for worker in self._workers)
            )
            await cancel(*self._workers.values())
            self._workers.clear()
            self._health = None
            self._queues.clear()
            for client in self._clients:
                await client.aclose()
            self._clients.clear()
            log.info("✅ Scheduled task system shut down")

    def _in_background(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._background.append(detached(coroutine))

    # --- scheduling

    async def enqueue(self, job_type: JobType, request: JobRequest) -> str | None:
        """The job's id, also when it was there already; None while Redis is away."""
        if not self.available:
            return None
        assert self._health is not None
        try:
            await self._queues[job_type.queue].add(job_type, request)
        except (RedisError, OSError) as error:
            if not self._health.report(error):
                log.error("Job %s could not be scheduled: %s", request.key, error)
            return None
        for worker in self._workers:
            if worker.queue.name == job_type.queue:
                worker.wake_for(request.due)
        return request.key

    async def remove(self, job_type: JobType, key: str) -> bool:
        """True if the job was removed before it ran."""
        if not self.available:
            return False
        assert self._health is not None
        try:
            return await self._queues[job_type.queue].cancel(key)
        except (RedisError, OSError) as error:
            self._health.report(error)
            return False

    # --- auto-close

    @property
    def _auto_close(self) -> JobType:
        return self._job_types[AutoClose.name]

    async def schedule(self, timer: CloseTimer) -> str | None:
        return await self.enqueue(self._auto_close, auto_close_job(timer))

    async def cancel(self, timer: CloseTimer) -> bool:
        return await self.remove(self._auto_close, auto_close_job(timer).key)

    async def schedule_auto_close(self, ticket_id: int, delay_hours: float) -> str | None:
        """Schedule the ticket's pending timed request, whose row knows the deadline; without one,
        a job that is due in `delay_hours` and that will find nothing to do."""
        auto_close = self._auto_close
        timer = None
        if isinstance(auto_close, AutoClose):
            timer = await auto_close.timer_of_ticket(ticket_id)
        if timer is not None:
            return await self.schedule(timer)
        due_ms = round((self._database.clock.now() + delay_hours * 3600) * 1000)
        return await self.enqueue(
            auto_close,
            JobRequest(
                key=f"{AutoClose.name}-{ticket_id}-{due_ms}",
                due=due_ms / 1000,
                subject_id=ticket_id,
                payload={"ticket_id": ticket_id, "close_request_id": None},
            ),
        )

    async def cancel_auto_close(self, job_id: str) -> bool:
        """True if the job was removed before it ran."""
        return await self.remove(self._auto_close, job_id)

    async def cancel_auto_close_for_ticket(self, ticket_id: int) -> int:
        """Remove all auto-close jobs of a ticket, without scanning the queue. Returns how many."""
        if not self.available:
            return 0
        assert self._health is not None
        queue = self._queues[self._auto_close.queue]
        try:
            keys = await queue.keys_about(ticket_id)
            return await queue.cancel_many([key for key in keys if self._auto_close.owns(key)])
        except (RedisError, OSError) as error:
            self._health.report(error)
            return 0

    # --- agreeing with PostgreSQL

    async def cleanup_orphaned_jobs(self) -> int:
        """Remove the jobs that nothing in PostgreSQL asks for any more. Returns how many."""
        log.info("🧹 Starting cleanup of orphaned scheduled jobs...")
        async with self._reconciling:
            removed = await self._remove_orphans()
        log.info("✅ Cleaned up %d orphaned jobs", removed)
        return removed

    async def _remove_orphans(self) -> int:
        if not self.available:
            return 0
        assert self._health is not None
        removed = 0
        try:
            for queue in self._queues.values():
                async for keys in queue.unfinished_keys():
                    for job_type in self._types_of(queue):
                        own = [key for key in keys if job_type.owns(key)]
                        if own:
                            removed += await queue.cancel_many(await job_type.orphans(own))
        except (RedisError, OSError) as error:
            self._health.report(error)
        return removed

    async def _add_missing(self) -> int:
        if not self.available:
            return 0
        assert self._health is not None
        added = 0
        try:
            for job_type in self._job_types.values():
                queue = self._queues[job_type.queue]
                async for page in job_type.expected():
                    added += await queue.add_missing(job_type, page)
        except (RedisError, OSError) as error:
            self._health.report(error)
        return added

    def _types_of(self, queue: PunctualQueue) -> list[JobType]:
        return [job_type for job_type in self._job_types.values() if job_type.queue == queue.name]

    async def reconcile(self) -> None:
        """Make Redis agree with PostgreSQL, both ways, and take up what is half done."""
        async with self._reconciling:
            removed = await self._remove_orphans()
            added = await self._add_missing()
            if removed or added:
                log.info("Reconciled: %d jobs added, %d orphaned jobs removed", added, removed)
        await self._resume()

    async def _record_heartbeat(self) -> None:
        for job_type in self._job_types.values():
            await job_type.record_heartbeat()

    async def _resume(self) -> None:
        for job_type in self._job_types.values():
            await job_type.resume()

    async def _redis_returned(self) -> None:
        if not self._workers:
            self._start_workers()
        self._local.clear_attempts()
        try:
            await self._look_after_overdue()
            await self.reconcile()
        except DatabaseUnavailable as error:
            self._database_outage.lost(error)
        except Exception:
            log.exception("Reconciling after Redis's return failed; it comes again in a minute")

    async def _keep_heartbeat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_INTERVAL_S)
            await self._guarded(self._record_heartbeat())

    async def _watch_deadlines(self) -> None:
        """The net below the alarm clock: whatever became of its job, an overdue timer is found."""
        while True:
            await asyncio.sleep(
                WATCH_DEADLINES_EVERY_S if self.available else WATCH_DEADLINES_WITHOUT_REDIS_EVERY_S
            )
            await self._guarded(self._look_after_overdue())

    async def _look_after_overdue(self) -> None:
        for job_type in self._job_types.values():
            overdue = await job_type.overdue(OVERDUE_PAGE)
            if overdue and not await self._enqueued(job_type, overdue):
                self._local.offer(job_type, overdue)

    async def _enqueued(self, job_type: JobType, overdue: Sequence[JobRequest]) -> bool:
        """Whether Redis has them all now, and hands them out."""
        if not self.available:
            return False
        assert self._health is not None
        try:
            queue = self._queues[job_type.queue]
            missing = await queue.add_missing(job_type, overdue)
            missing += await queue.requeue_missing(
                [request.key for request in overdue[:MAX_REQUEUED]]
            )
        except (RedisError, OSError) as error:
            self._health.report(error)
            return False
        if missing:
            log.warning("%d overdue jobs were missing from Redis and run now", missing)
            for worker in self._workers:
                worker.wake_for(0)
        return not any(
            worker.is_stuck for worker in self._workers if worker.queue.name == job_type.queue
        )

    async def _keep_reconciled(self) -> None:
        """At least every minute, and sooner where it costs next to nothing."""
        loop = asyncio.get_running_loop()
        took = 0.0
        while True:
            pause = max(RECONCILE_SOONEST_S, took * RECONCILE_PAUSE)
            await asyncio.sleep(min(RECONCILE_EVERY_S, pause))
            began = loop.time()
            await self._guarded(self.reconcile())
            took = loop.time() - began

    async def _maintain(self) -> None:
        loop = asyncio.get_running_loop()
        due = {
            self._database.sync_clock: (SYNC_CLOCK_EVERY_S, loop.time() + SYNC_CLOCK_EVERY_S),
            self._resume: (RESUME_EVERY_S, loop.time() + RESUME_EVERY_S),
        }
        while True:
            await asyncio.sleep(min(at for _, at in due.values()) - loop.time())
            for chore, (every, at) in due.items():
                if at <= loop.time():
                    await self._guarded(chore())
                    due[chore] = (every, loop.time() + every)

    async def _guarded(self, chore: Coroutine[Any, Any, None]) -> None:
        try:
            await chore
        except DatabaseUnavailable as error:
            self._database_outage.lost(error)
        except Exception:
            log.exception("A chore of the scheduler failed; it comes again")
        else:
            self._database_outage.back()

    # --- looking

    async def counts(self) -> JobCounts:
        """Jobs by state, over all queues; all zero while Redis is away."""
        if not self.available:
            return JobCounts()
        assert self._health is not None
        try:
            totals = JobCounts()
            for queue in self._queues.values():
                waiting, active = await queue.count("queued"), await queue.count("active")
                totals = JobCounts(
                    waiting=totals.waiting + waiting,
                    active=totals.active + active,
                    delayed=totals.delayed
                    + max(0, await queue.count("incomplete") - waiting - active),
                    completed=totals.completed + await queue.count_finished(Status.COMPLETE),
                    failed=totals.failed + await queue.count_finished(Status.FAILED),
                )
        except (RedisError, OSError) as error:
            self._health.report(error)
            return JobCounts()
        return totals
