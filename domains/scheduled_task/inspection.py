"""What an operator sees of the queues, and may do to one job, whatever its state.

Looking takes a page at a time and counts by ZCARD and ZCOUNT, so it costs the same with ten jobs
and with 100,000. Nothing that is looked at is changed by it, not even a record nobody can read.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

from redis.exceptions import RedisError
from saq.job import Job, Status

from domains.errors import OperatorError
from domains.scheduled_task import inspection_scripts as scripts
from domains.scheduled_task.job_type import JobRequest
from domains.scheduled_task.queues.queue import COMPLETED, FAILED, PunctualQueue
from domains.scheduled_task.redis_health import means_away
from domains.scheduled_task.scheduled_task import ScheduledTask
from domains.scheduled_task.workers.worker import HEARTBEAT_TTL_S
from domains.ticket_lifecycle.transitions import TICKET

if TYPE_CHECKING:
    from domains.scheduled_task.redis_client import Argument, RedisClient

_MODULE = re.compile(r"^(?:\w+\.)+(?=\w+(?::|$))")

MAX_FINISHED = COMPLETED.number + FAILED.number


class JobState(StrEnum):
    WAITING = "waiting"
    DELAYED = "delayed"
    ACTIVE = "active"
    COMPLETED = "completed"
    FAILED = "failed"


_WHERE = {
    JobState.WAITING: ("queued", "as queued"),
    JobState.DELAYED: ("incomplete", "by due time"),
    JobState.ACTIVE: ("active", "as queued"),
    JobState.COMPLETED: ("completed", "newest first"),
    JobState.FAILED: ("failed", "newest first"),
}


class RedisAwayError(OperatorError):
    def __init__(self, text: str = "Redis is not available at the moment.") -> None:
        super().__init__(text)


class NotStartedError(RedisAwayError):
    """The scheduler has not connected yet, so whether Redis is there is unknown."""

    def __init__(self) -> None:
        super().__init__("The scheduler has not started yet: it waits for Discord.")


class JobMovedOnError(OperatorError):
    """Between the look and the act the job has changed its state."""

    def __init__(self, key: str) -> None:
        super().__init__(f"Nothing was done: {key} is no longer in the state it was shown in.")


class UnknownJobError(OperatorError):
    def __init__(self, key: str) -> None:
        super().__init__(f"There is no job {key} (any more).")


class CannotRunError(OperatorError):
    def __init__(self, name: str) -> None:
        super().__init__(f"Unknown job type: {name}. Another try would fail as well.")


@dataclass(frozen=True, slots=True)
class JobView:
    queue: str
    key: str
    state: JobState
    name: str = "unreadable"
    payload: Mapping[str, object] = field(default_factory=dict[str, object])
    subject_id: int | None = None
    attempts: int = 0
    max_attempts: int = 0
    due: datetime | None = None
    enqueued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None
    worker_id: str | None = None

    @property
    def waits_for_retry(self) -> bool:
        return self.state is JobState.DELAYED and self.attempts > 0

    @property
    def error_line(self) -> str:
        """The last line of the traceback, without the module: what went wrong."""
        lines = (self.error or "").strip().splitlines()
        return _MODULE.sub("", lines[-1].strip()) if lines else ""


@dataclass(frozen=True, slots=True)
class WorkerView:
    id: str
    heartbeat_age_s: float
    completed: int
    failed: int
    retried: int
    uptime_s: float


@dataclass(frozen=True, slots=True)
class QueueView:
    name: str
    counts: Mapping[JobState, int]
    workers: Sequence[WorkerView]


class Inspection:
    def __init__(self, scheduled_task: ScheduledTask) -> None:
        self._scheduled_task = scheduled_task

    # --- looking

    async def queues(self) -> Sequence[QueueView]:
        """Raises RedisAway, as all that follows does."""
        with self._asking():
            return [
                QueueView(name, await _counts(queue), await _workers(queue))
                for name, queue in sorted(self._scheduled_task.queues.items())
            ]

    async def page(self, state: JobState, offset: int, limit: int) -> tuple[Sequence[JobView], int]:
        """Jobs of all queues in one state, and how many there are. Delayed ones come by their due
        time, finished ones newest first, the others as they are queued."""
        jobs: list[JobView] = []
        total = 0
        with self._asking():
            for _, queue in sorted(self._scheduled_task.queues.items()):
                number = (await _counts(queue))[state]
                skip = max(0, offset - total)
                total += number
                if len(jobs) < limit and skip < number:
                    # What is older than it may be is still in the set, until the next job ends.
                    jobs += await _page(queue, state, skip, min(limit - len(jobs), number - skip))
        return jobs, total

    async def job(self, queue_name: str, key: str) -> JobView:
        """Raises UnknownJob too."""
        with self._asking():
            view, _ = await _look(self._queue(queue_name), key)
        if view is None:
            raise UnknownJobError(key)
        return view

    async def find(self, key: str) -> JobView:
        """The job of this key in whichever queue. Raises UnknownJob too."""
        with self._asking():
            for queue in self._scheduled_task.queues.values():
                view, _ = await _look(queue, key)
                if view is not None:
                    return view
        raise UnknownJobError(key)

    async def about(self, ticket_id: int) -> Sequence[JobView]:
        """All jobs about one ticket: the unfinished ones by their index, and of the finished
        ones, which are in no index, those whose key names it."""
        named = re.compile(rf"(?<!\d){ticket_id}(?!\d)")
        others = [kind for kind in self._scheduled_task.kinds if kind.owner != TICKET]
        jobs: list[JobView] = []
        with self._asking():
            for _, queue in sorted(self._scheduled_task.queues.items()):
                keys = await queue.keys_about(ticket_id)
                for status in (Status.FAILED, Status.COMPLETE):
                    finished = await queue.finished_keys(status, 0, MAX_FINISHED)
                    keys += [key for key in finished if named.search(key)]
                for key in dict.fromkeys(keys):
                    if any(kind.owns(key) for kind in others):
                        continue  # its subject has the same number
                    view, _ = await _look(queue, key)
                    if view is not None and view.subject_id == ticket_id:
                        jobs.append(view)
        return jobs

    async def due_counts(self, times: Sequence[float]) -> Sequence[int]:
        """How many delayed jobs are due from each of these times to the next."""
        totals = [0] * (len(times) - 1)
        with self._asking():
            for queue in self._scheduled_task.queues.values():
                counts = await _run(queue, scripts.DUE_COUNTS, ["incomplete"], list(times))
                totals = [total + count for total, count in zip(totals, counts, strict=True)]
        return totals

    # --- acting

    async def run_now(self, job: JobView) -> None:
        """Move the due time of a delayed job to now. Raises JobMovedOn if it is not delayed."""
        with self._asking():
            queue = self._queue(job.queue)
            keys = ["incomplete", queue.job_id(job.key), "queued"]
            moved = await _run(queue, scripts.RUN_NOW, keys)
        self._must_have_happened(job, moved)

    async def requeue(self, job: JobView) -> None:
        """Queue a failed job anew, with all its attempts. Raises JobMovedOn, or CannotRun."""
        job_type = self._scheduled_task.job_types.get(job.name)
        if job_type is None:
            raise CannotRunError(job.name)
        with self._asking():
            queue = self._queue(job.queue)
            view, record = await _look(queue, job.key)
            moved = 0
            if view is not None and view.state is JobState.FAILED and record is not None:
                subject = -1 if view.subject_id is None else view.subject_id
                request = JobRequest(view.key, 0, subject, view.payload)
                moved = await _run(
                    queue,
                    scripts.REQUEUE,
                    ["incomplete", queue.job_id(job.key), "queued", "subjects", "failed"],
                    [record, queue.fresh_record(job_type, request), subject],
                )
        self._must_have_happened(job, moved)

    async def remove(self, job: JobView) -> None:
        """Take an unfinished job out of its queue before it runs, or delete a finished one.
        Raises JobMovedOn if it is running."""
        with self._asking():
            queue = self._queue(job.queue)
            if job.state in (JobState.COMPLETED, JobState.FAILED):
                keys = ["incomplete", queue.job_id(job.key), "completed", "failed"]
                removed = await _run(queue, scripts.DELETE_FINISHED, keys)
            else:
                removed = await queue.cancel(job.key)
        self._must_have_happened(job, removed)

    # --- shared

    def _queue(self, name: str) -> PunctualQueue:
        queue = self._scheduled_task.queues.get(name)
        if queue is None:
            raise UnknownJobError(name)
        return queue

    @contextmanager
    def _asking(self) -> Generator[None]:
        """Raises RedisAway, or NotStarted, instead of what redis-py raises."""
        if not self._scheduled_task.queues:
            raise NotStartedError
        if not self._scheduled_task.available:
            raise RedisAwayError
        try:
            yield
        except (RedisError, OSError) as error:
            if not means_away(error):
                raise
            raise RedisAwayError from error

    @staticmethod
    def _must_have_happened(job: JobView, answer: int) -> None:
        if not answer:
            raise JobMovedOnError(job.key)


async def _run(
    queue: PunctualQueue, script: str, keys: Sequence[str], arguments: Sequence[Argument] = ()
) -> Any:
    """A key with a colon is one of a job already; a word is one of the queue's own."""
    client = cast("RedisClient", queue.redis)
    names = [key if ":" in key else queue.namespace(key) for key in keys]
    return await client.register_script(script)(keys=names, args=arguments)


async def _counts(queue: PunctualQueue) -> Mapping[JobState, int]:
    now = queue.now()
    counts = await _run(
        queue,
        scripts.COUNTS,
        ["incomplete", "queued", "active", "completed", "failed"],
        [now - COMPLETED.age.total_seconds(), now - FAILED.age.total_seconds()],
    )
    return dict(zip(JobState, cast("list[int]", counts), strict=True))


async def _workers(queue: PunctualQueue) -> Sequence[WorkerView]:
    heartbeats = cast(
        "list[tuple[bytes, bytes, int]]", await _run(queue, scripts.WORKERS, ["stats"])
    )
    workers: list[WorkerView] = []
    for name, said, lasts_ms in heartbeats:
        stats = cast("Mapping[str, int]", json.loads(said).get("stats") or {})
        workers.append(
            WorkerView(
                id=name.decode().rpartition(":")[2],
                heartbeat_age_s=max(0.0, HEARTBEAT_TTL_S - lasts_ms / 1000),
                completed=stats.get("complete", 0),
                failed=stats.get("failed", 0),
                retried=stats.get("retried", 0),
                uptime_s=stats.get("uptime", 0) / 1000,
            )
        )
    return workers


async def _page(
    queue: PunctualQueue, state: JobState, offset: int, limit: int
) -> Sequence[JobView]:
    place, order = _WHERE[state]
    rows = await _run(queue, scripts.PAGE, [place], [order, offset, limit])
    return [
        _read(queue, queue.job_key_from_id(job_id.decode()), state, record)
        for job_id, record in cast("list[tuple[bytes, bytes | None]]", rows)
    ]


async def _look(queue: PunctualQueue, key: str) -> tuple[JobView | None, bytes | None]:
    state, due, record = cast(
        "tuple[bytes, bytes, bytes | None]",
        await _run(
            queue,
            scripts.LOOK,
            ["incomplete", queue.job_id(key), "active", "completed", "failed"],
        ),
    )
    if not state:
        return None, None
    view = _read(queue, key, JobState(state.decode()), record)
    if view.state is JobState.DELAYED:
        view = dataclasses.replace(view, due=_moment(float(due)))
    return view, record


def _read(queue: PunctualQueue, key: str, state: JobState, record: bytes | None) -> JobView:
    try:
        job = _job(queue, record)
        if job is None:
            return JobView(queue.label, key, state, error="Its record is gone.")
        subject_id = job.meta.get("subject_id")
        return JobView(
            queue=queue.label,
            key=key,
            state=state,
            name=job.function,
            payload=job.kwargs or {},
            subject_id=subject_id if isinstance(subject_id, int) else None,
            attempts=job.attempts,
            max_attempts=job.retries,
            due=_moment(job.scheduled) if state is JobState.DELAYED else None,
            enqueued_at=_moment(job.queued / 1000),
            started_at=_moment(job.started / 1000),
            finished_at=_moment(job.completed / 1000),
            error=job.error,
            worker_id=job.worker_id,
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        return JobView(queue.label, key, state, error=f"Its record cannot be read: {error}")


def _job(queue: PunctualQueue, record: bytes | None) -> Job | None:
    return queue.deserialize(record)  # pyright: ignore[reportUnknownMemberType]  # SAQ's dict


def _moment(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
