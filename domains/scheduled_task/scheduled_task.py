"""The scheduler: queues and workers on Redis, held to what PostgreSQL says.

PostgreSQL is the truth and Redis the alarm clock. So nothing here is needed for a decision to be
right; it is needed for the decision to come on time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from saq.job import Status

from domains.database import Database, Subject
from domains.outage_log import OutageLog
from domains.scheduled_task.background import Background
from domains.scheduled_task.job_type import TICKET_LIFECYCLE, JobRequest, JobType
from domains.scheduled_task.queues import PunctualQueue
from domains.scheduled_task.redis_queues import RedisQueues
from domains.scheduled_task.timer import Timer
from domains.scheduled_task.timer_kind import TimerKind
from domains.scheduled_task.timer_sync import TimerSync
from domains.scheduled_task.timers import Timers
from domains.scheduled_task.workers.local_runner import LocalRunner
from domains.scheduled_task.workers.worker import DEQUEUE_TIMEOUT_S, PunctualWorker
from domains.tasks import cancel, detached
from domains.telemetry import NO_TELEMETRY, Telemetry

log = logging.getLogger(__name__)

GRACE = timedelta(seconds=20)
"""How long running jobs may take to finish at a shutdown."""
WATCH_INTERVAL_S = 2.0
WATCH_WITHOUT_REDIS_INTERVAL_S = 0.5
WATCH_OTHERS_INTERVAL_S = 10.0
"""Of kinds whose overdue timers are found only by reading all, and only without Redis."""
WATCH_PAUSE = 20
"""The pause after a look at the deadlines, as a multiple of the time that it took."""
RECONCILE_INTERVAL_S = 60.0
RECONCILE_SOONEST_S = 10.0
RECONCILE_PAUSE = 100
SYNC_CLOCK_INTERVAL_S = 10.0
HEARTBEAT_INTERVAL_S = 2.0
FOLLOW_PAUSE_S = 0.25
"""While many follow: so that they share round trips. One alone waits for nothing."""
OVERDUE_FOR = timedelta(seconds=1)
"""The worker is given this long before the watch looks at a timer."""
OVERDUE_PAGE = 500
MAX_REQUEUED = 20
"""Looking for a job in the lists is linear; the most overdue come first."""
AUTO_CLOSE = "auto-close"
WITHOUT = "deadlines are kept in PostgreSQL, and honoured"
"""What still works, in the line that says that Redis is away."""

T = TypeVar("T")


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
        self.timers = Timers(database)
        self._job_types: dict[str, JobType] = {}
        self._redis: RedisQueues | None = None
        self._workers: dict[PunctualWorker, asyncio.Task[None]] = {}
        self.heartbeat: Callable[[], Awaitable[None]] | None = None
        """Called before the first job runs, and every two seconds from then on."""
        self._background = Background(
            OutageLog(
                log,
                "PostgreSQL not available - nothing can be decided until it is back",
                "PostgreSQL is back",
                on_loss=lambda: telemetry.dependency_lost("postgresql"),
            )
        )
        self._touched: dict[Subject, None] = {}
        self._touched_any = asyncio.Event()
        self._local = LocalRunner(concurrency, telemetry)
        self._starting = asyncio.Lock()
        self._reconciling = asyncio.Lock()
        self._running = False

    def register(self, job_types: Sequence[JobType]) -> None:
        """Say what jobs there are; to be called once, before `connect`."""
        self._job_types.update({job_type.name: job_type for job_type in job_types})

    # --- life

    @property
    def available(self) -> bool:
        """Whether Redis keeps the timers now. Without it PostgreSQL's watch does."""
        return self._redis is not None and self._redis.available

    @property
    def queues(self) -> Mapping[str, PunctualQueue]:
        """By name; none before `connect` and after `shutdown`."""
        return self._redis.by_name if self._redis is not None else {}

    @property
    def job_types(self) -> Mapping[str, JobType]:
        return self._job_types

    @property
    def kinds(self) -> Sequence[TimerKind]:
        return [each for each in self._job_types.values() if isinstance(each, TimerKind)]

    async def connect(self) -> bool:
        """Reach Redis and run nothing yet: from here on timers can be scheduled. The database
        must be connected. True if Redis is there; `shutdown` ends it. Safe to call many times."""
        async with self._starting:
            return await self._connect()

    async def _connect(self) -> bool:
        url = self._redis_url()
        if url is None:
            return False
        if self._redis is None:
            names = {TICKET_LIFECYCLE, *(each.queue for each in self._job_types.values())}
            self._redis = RedisQueues(self._database, url, names, self._telemetry)
        return await self._redis.health.check()

    async def initialize(self) -> None:
        """Check Redis, start the workers and the watch over them. Safe to call many times, and
        never raises because Redis is down: it is taken up when it comes."""
        async with self._starting:
            if self._running:
                return
            self._running = True
            background = self._background
            await background.guarded(self._heartbeat, writes=True)
            if await self._connect():
                self._start_workers()
            elif self._redis is None:
                log.warning("Redis not available - scheduled tasks will be disabled; %s", WITHOUT)
            if self._redis is not None:
                background.start(self._redis.health.watch(self._redis_returned))
            background.start(self._follow_lazily())
            background.every(lambda _: HEARTBEAT_INTERVAL_S, self._heartbeat, writes=True)
            background.every(lambda _: SYNC_CLOCK_INTERVAL_S, self._database.sync_clock)
            background.every(self._watch_pause, self._watch_deadlines)
            background.every(lambda _: WATCH_OTHERS_INTERVAL_S, self._watch_others)
            background.every(_reconcile_pause, self.reconcile)

    def _start_workers(self) -> None:
        assert self._redis is not None
        for name in self._redis.by_name:
            worker = PunctualWorker(
                self._redis.for_worker(name, DEQUEUE_TIMEOUT_S + 3),
                [job_type for job_type in self._job_types.values() if job_type.queue == name],
                self._redis.health,
                concurrency=self._concurrency,
                grace=self._grace,
            )
            self._workers[worker] = detached(worker.start())
        log.info("✅ Scheduled task system initialized")

    async def shutdown(self) -> None:
        """Stop taking jobs, let running ones finish, close the connections. Safe to call twice."""
        async with self._starting:
            was_running, self._running = self._running, False
            await self._background.stop()
            await asyncio.gather(
                self._local.drain(self._grace), *(worker.stop() for worker in self._workers)
            )
            await cancel(*self._workers.values())
            self._workers.clear()
            redis, self._redis = self._redis, None
            if redis is not None:
                await redis.close()
            if was_running:
                log.info("✅ Scheduled task system shut down")

    async def _heartbeat(self) -> None:
        if self.heartbeat is not None:
            await self.heartbeat()

    # --- scheduling

    @property
    def _sync(self) -> TimerSync:
        assert self._redis is not None
        return TimerSync(self.timers, self.kinds, self._redis)

    async def on_touched(self, touched: Sequence[Subject], *, lazily: bool = False) -> None:
        """A transaction has changed these: make their timers' jobs follow."""
        if lazily and self._running:
            self._touched.update(dict.fromkeys(touched))
            self._touched_any.set()
        else:
            await self._follow_all(touched)

    async def _follow_lazily(self) -> None:
        """What comes while the last ones are followed is followed together."""
        while True:
            await self._touched_any.wait()
            self._touched_any.clear()
            touched, self._touched = list(self._touched), {}
            await self._background.guarded(lambda t=touched: self._follow_all(t))
            if len(touched) > 1:
                await asyncio.sleep(FOLLOW_PAUSE_S)

    async def _follow_all(self, touched: Sequence[Subject]) -> None:
        for owner in {owner for owner, _ in touched}:
            ids = [id_ for name, id_ in touched if name == owner]
            await self._attempt(lambda sync, o=owner, i=ids: self._follow(sync, o, i), None)

    async def _follow(self, sync: TimerSync, owner: str, ids: Sequence[int]) -> None:
        timers = await sync.owners(owner, ids)
        if timers:
            self._wake_for(min(timer.due_ms for timer in timers) / 1000)

    def _wake_for(self, due: float) -> None:
        for worker in self._workers:
            worker.wake_for(due)

    async def _attempt(self, action: Callable[[TimerSync], Awaitable[T]], otherwise: T) -> T:
        if self._redis is None:
            return otherwise
        sync = self._sync
        return await self._redis.attempt(lambda: action(sync), otherwise)

    async def enqueue(self, job_type: JobType, request: JobRequest) -> str | None:
        """The job's id, also when it was there already; None while Redis is away."""
        redis = self._redis
        if redis is None:
            return None

        async def add() -> str:
            await redis.by_name[job_type.queue].add(job_type, request)
            return request.key

        key = await redis.attempt(add, None)
        if key is not None:
            self._wake_for(request.due)
        return key

    # --- auto-close

    async def auto_close_job(self, ticket_id: int) -> str | None:
        """The id of the job that waits for the ticket's deadline; None while there is none. Jobs
        follow a moment after the commit, so it is put into Redis if it is not there yet."""
        kind = self._job_types[AUTO_CLOSE]
        assert isinstance(kind, TimerKind)
        wanted = await self.timers.of_owners([kind], [ticket_id])
        return await self.enqueue(kind, wanted[0].job) if wanted else None

    async def _auto_close_jobs(self, ticket_id: int) -> list[str]:
        redis, kind = self._redis, self._job_types[AUTO_CLOSE]
        if redis is None:
            return []
        assert isinstance(kind, TimerKind)
        queue = redis.by_name[kind.queue]
        keys = await redis.attempt(lambda: queue.keys_about_many([ticket_id]), list[str]())
        return [key for key in keys if kind.owns(key)]

    async def schedule_auto_close(self, ticket_id: int, delay_hours: float) -> str | None:
        """Schedule the ticket's pending timed request, whose row knows the deadline; without one,
        a job that is due in `delay_hours` and that will find nothing to do."""
        if (job_id := await self.auto_close_job(ticket_id)) is not None:
            return job_id
        due_ms = round((self._database.clock.now() + delay_hours * 3600) * 1000)
        return await self.enqueue(
            self._job_types[AUTO_CLOSE],
            JobRequest(
                key=f"{AUTO_CLOSE}-{ticket_id}-{due_ms}",
                due=due_ms / 1000,
                subject_id=ticket_id,
                payload={"version": 1, "ticket_id": ticket_id, "close_request_id": None},
            ),
        )

    async def cancel_auto_close(self, job_id: str) -> bool:
        """True if the job was removed before it ran."""
        redis, kind = self._redis, self._job_types[AUTO_CLOSE]
        if redis is None:
            return False
        return await redis.attempt(lambda: redis.by_name[kind.queue].cancel(job_id), False)

    async def cancel_auto_close_for_ticket(self, ticket_id: int) -> int:
        """Remove all auto-close jobs of a ticket, without scanning the queue. Returns how many."""
        keys = await self._auto_close_jobs(ticket_id)
        redis, kind = self._redis, self._job_types[AUTO_CLOSE]
        if redis is None:
            return 0
        return await redis.attempt(lambda: redis.by_name[kind.queue].cancel_many(keys), 0)

    async def delete_finished_jobs(self, ticket_ids: Sequence[int]) -> None:
        """What is still kept of jobs about these tickets. Nothing while Redis is away: there it
        expires within a week."""
        redis = self._redis
        if redis is None:
            return
        for queue in redis.by_name.values():
            await redis.attempt(lambda q=queue: q.delete_finished_about(ticket_ids), 0)

    # --- agreeing with PostgreSQL

    async def cleanup_orphaned_jobs(self) -> int:
        """Remove the jobs that nothing in PostgreSQL asks for any more. Returns how many."""
        log.info("🧹 Starting cleanup of orphaned scheduled jobs...")
        async with self._reconciling:
            removed = await self._attempt(lambda sync: sync.remove_orphans(), 0)
        log.info("✅ Cleaned up %d orphaned jobs", removed)
        return removed

    async def reconcile(self) -> None:
        """Make Redis agree with PostgreSQL, both ways."""
        async with self._reconciling:
            removed = await self._attempt(lambda sync: sync.remove_orphans(), 0)
            added = await self._attempt(lambda sync: sync.add_all_missing(), 0)
        if removed or added:
            log.info("Reconciled: %d jobs added, %d orphaned jobs removed", added, removed)
            self._wake_for(0)

    async def _redis_returned(self) -> None:
        if not self._workers:
            self._start_workers()
        self._local.clear()
        await self._background.guarded(self._watch_deadlines)
        await self._background.guarded(self.reconcile)

    # --- the watch: whatever became of its job, an overdue timer is found

    def _watch_pause(self, took: float) -> float:
        if not self.available:
            return max(WATCH_WITHOUT_REDIS_INTERVAL_S, WATCH_PAUSE * took)
        return max(WATCH_INTERVAL_S, WATCH_PAUSE * took)

    async def _watch_deadlines(self) -> None:
        for kind in self.kinds:
            if kind.due_is_indexed:
                await self._take_up_overdue(kind)

    async def _watch_others(self) -> None:
        for kind in self.kinds:
            if not kind.due_is_indexed and not self.available:
                await self._take_up_overdue(kind)

    async def _take_up_overdue(self, kind: TimerKind) -> None:
        overdue = await self.timers.overdue(kind, OVERDUE_FOR, OVERDUE_PAGE)
        if not await self._attempt(lambda sync: self._enqueue(sync, overdue), False):
            self._local.offer(kind, [timer.job for timer in overdue])

    async def _enqueue(self, sync: TimerSync, overdue: Sequence[Timer]) -> bool:
        """Whether Redis has them all now, and hands them out."""
        missing = await sync.add_missing(overdue)
        for queue in self.queues.values():
            keys = [timer.key for timer in overdue[:MAX_REQUEUED]]
            missing += await queue.requeue_missing(keys)
        if missing:
            log.warning("%d overdue jobs were missing from Redis and run now", missing)
            self._wake_for(0)
        return not any(worker.is_stuck for worker in self._workers)

    # --- looking

    async def counts(self) -> JobCounts:
        """Jobs by state, over all queues; all zero while Redis is away."""
        redis = self._redis
        return await redis.attempt(self._counts, JobCounts()) if redis else JobCounts()

    async def _counts(self) -> JobCounts:
        totals = JobCounts()
        for queue in self.queues.values():
            waiting, active = await queue.count("queued"), await queue.count("active")
            totals = JobCounts(
                waiting=totals.waiting + waiting,
                active=totals.active + active,
                delayed=totals.delayed + max(0, await queue.count("incomplete") - waiting - active),
                completed=totals.completed + await queue.count_finished(Status.COMPLETE),
                failed=totals.failed + await queue.count_finished(Status.FAILED),
            )
        return totals


def _reconcile_pause(took: float) -> float:
    """At least every minute, and sooner where it costs next to nothing."""
    return min(RECONCILE_INTERVAL_S, max(RECONCILE_SOONEST_S, took * RECONCILE_PAUSE))
