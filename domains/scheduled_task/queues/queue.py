"""SAQ's Redis queue, hardened: exact, idempotent, and never losing a dead worker's job.

What is overridden is what was measured to go wrong; each override says what that is. The data
in Redis stays SAQ's own, so that its tools and its workers can read it.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from redis.exceptions import RedisError
from saq.job import Job, Status
from saq.queue.redis import RedisQueue
from saq.utils import now as saq_now

from domains.scheduled_task.job_type import JobRequest, JobType
from domains.scheduled_task.queues import scripts
from domains.telemetry import NO_TELEMETRY, Telemetry

if TYPE_CHECKING:
    from domains.scheduled_task.redis_client import Argument, Pipeline, RedisClient

log = logging.getLogger(__name__)

PROMOTE_BATCH = 500
"""Due jobs moved in one script: 100,000 at once would block Redis for 280 ms."""
PIPELINE_BATCH = 500
SCRIPT_BATCH = 100
"""Jobs put into the queue by one script: about a millisecond of Redis."""
UNHELD_GRACE_S = 5.0
"""Between taking a job and marking it active lies one round trip; after this it is lost."""
SECOND_MISS_S = 0.5
"""A worker is dead when it was missed twice: all are missed once after a partition."""
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What reading a record raises that is not JSON, or not a job."""
TIMEOUT_SLACK_S = 60
"""The worker ends an attempt that takes too long by itself; SAQ's own limit is only a backstop."""
COMES_AGAIN = "comes_again"
"""In a job's meta for a moment: it came too early, which is no attempt and no retry."""
WORKER_LOST = "worker lost"
CANCELLED = "cancelled"
"""SAQ's own word when a shutdown cuts a running job short."""


@dataclass(frozen=True, slots=True)
class Retention:
    age: timedelta
    number: int


COMPLETED = Retention(timedelta(hours=24), 100)
FAILED = Retention(timedelta(days=7), 1_000)


@dataclass(frozen=True, slots=True)
class Promotion:
    moved: int
    next_due: float | None


class PunctualQueue(RedisQueue):
    def __init__(
        self,
        redis: RedisClient,
        label: str,
        *,
        installation_id: str,
        clock: Callable[[], float],
        max_concurrent_ops: int = 20,
        telemetry: Telemetry = NO_TELEMETRY,
    ) -> None:
        """`label` is the name that people, log and metrics see; in Redis the installation's id
        stands before it, so that installations can share one."""
        super().__init__(
            cast("Any", redis),
            name=f"{installation_id}:{label}",
            max_concurrent_ops=max_concurrent_ops,
        )
        self.label = label
        self._client = redis
        self._clock = clock
        self._telemetry = telemetry
        self._subjects = self.namespace("subjects")
        self._finished = {
            Status.COMPLETE: self.namespace("completed"),
            Status.FAILED: self.namespace("failed"),
            Status.ABORTED: self.namespace("failed"),
        }
        register = redis.register_script
        self._promote_script = register(scripts.PROMOTE_DUE)
        self._put_script = register(scripts.ENQUEUE)
        self._cancel_script = register(scripts.CANCEL)
        self._recover_script = register(scripts.RECOVER)
        self._requeue_missing_script = register(scripts.REQUEUE_MISSING)
        self._finish_script = register(scripts.FINISH)
        self._quarantine_script = register(scripts.QUARANTINE)
        self._dequeue_error: Exception | None = None
        self._unheld_since: dict[bytes, float] = {}

    # --- enqueueing and cancelling

    def _record(self, job_type: JobType, request: JobRequest) -> Job:
        policy = job_type.policy
        return Job(
            function=job_type.name,
            kwargs=dict(request.payload),
            queue=self,
            key=request.key,
            timeout=int(policy.timeout.total_seconds()) + TIMEOUT_SLACK_S,
            retries=policy.attempts,
            retry_delay=policy.delay_after(1).total_seconds(),
            ttl=int(COMPLETED.age.total_seconds()) if policy.keep_completed else -1,
            scheduled=cast("int", request.due),
            queued=saq_now(),
            status=Status.QUEUED,
            meta={"subject_id": request.subject_id},
        )

    def fresh_record(self, job_type: JobType, request: JobRequest) -> Argument:
        """What Redis keeps of a job that has not been tried yet."""
        return self.serialize(self._record(job_type, request))

    async def _enqueue_all(
        self, job_type: JobType, requests: Sequence[JobRequest], pipeline: Pipeline | None = None
    ) -> int:
        """Of a type's jobs only these fields differ: the rest of the record is made once."""
        template: dict[str, object] = self._record(job_type, requests[0]).to_dict()
        arguments: list[Argument] = []
        for request in requests:
            record = template | {
                "key": request.key,
                "kwargs": dict(request.payload),
                "scheduled": request.due,
                "meta": {"subject_id": request.subject_id},
            }
            arguments += [
                self.job_id(request.key),
                json.dumps(record),
                request.due,
                request.subject_id,
            ]
        keys = [
            self._incomplete,
            self._queued,
            self._subjects,
            self._finished[Status.FAILED],
            self._finished[Status.COMPLETE],
        ]
        return await self._put_script(keys=keys, args=arguments, client=pipeline)

    async def add(self, job_type: JobType, request: JobRequest) -> bool:
        """Put a job into the queue. False if it is there already, which is as good."""
        return bool(await self._enqueue_all(job_type, [request]))

    async def add_missing(self, job_type: JobType, requests: Sequence[JobRequest]) -> int:
        """Put those of the jobs into the queue that are not in it. Returns how many were."""
        added = 0
        for start in range(0, len(requests), PIPELINE_BATCH):
            batch = requests[start : start + PIPELINE_BATCH]
            known = await self._client.zmscore(
                self._incomplete, [self.job_id(request.key) for request in batch]
            )
            missing = [r for r, score in zip(batch, known, strict=True) if score is None]
            if missing:
                pipeline = self._client.pipeline(transaction=False)
                for first in range(0, len(missing), SCRIPT_BATCH):
                    await self._enqueue_all(
                        job_type, missing[first : first + SCRIPT_BATCH], pipeline
                    )
                added += sum(await pipeline.execute())
        return added

    async def requeue_missing(self, keys: Sequence[str]) -> int:
        """Queue again what is neither waiting nor queued nor active, and so would never run."""
        pipeline = self._client.pipeline(transaction=False)
        for key in keys:
            await self._requeue_missing_script(
                keys=[
                    self._incomplete,
                    self.job_id(key),
                    self._queued,
                    self._active,
                    self._subjects,
                ],
                client=pipeline,
            )
        return sum(await pipeline.execute())

    async def cancel(self, key: str) -> bool:
        """True if the job was removed before it ran. SAQ's abort() would leave its record."""
        job_id = self.job_id(key)
        keys = [self._incomplete, job_id, self._queued, self._subjects]
        return await self._cancel_script(keys=keys) == 1

    async def cancel_many(self, keys: Collection[str]) -> int:
        if not keys:
            return 0
        pipeline = self._client.pipeline(transaction=False)
        for key in keys:
            await self._cancel_script(
                keys=[self._incomplete, self.job_id(key), self._queued, self._subjects],
                client=pipeline,
            )
        return sum(answer == 1 for answer in await pipeline.execute())

    async def keys_about(self, subject_id: int) -> list[str]:
        """The unfinished jobs about one subject, without looking at any other."""
        ids = await self._client.zrangebyscore(self._subjects, subject_id, subject_id)
        return [self.job_key_from_id(job_id.decode()) for job_id in ids]

    async def keys_about_many(self, subject_ids: Sequence[int]) -> list[str]:
        """The same about many, in one round trip."""
        pipeline = self._client.pipeline(transaction=False)
        for subject_id in subject_ids:
            pipeline.zrangebyscore(self._subjects, subject_id, subject_id)
        pages = cast("list[list[bytes]]", await pipeline.execute())
        return [self.job_key_from_id(job_id.decode()) for page in pages for job_id in page]

    async def unfinished_keys(self) -> AsyncIterator[list[str]]:
        """Pages of all unfinished jobs. A key may come twice, as SCAN goes."""
        cursor = 0
        while True:
            cursor, page = await self._client.zscan(self._incomplete, cursor, count=1_000)
            yield [self.job_key_from_id(job_id.decode()) for job_id, _ in page]
            if cursor == 0:
                return

    # --- the clock

    async def promote_due(self) -> Promotion:
        """SAQ's schedule() polls once a second behind a lock; this one tells when to come again."""
        moved, next_due = cast(
            "tuple[int, bytes]",
            await self._promote_script(
                keys=[self._incomplete, self._queued], args=[self._clock(), PROMOTE_BATCH]
            ),
        )
        return Promotion(moved, float(next_due) if next_due else None)

    def now(self) -> float:
        return self._clock()

    # --- taking, retrying, finishing

    async def dequeue(
        self,
        timeout: float = 0.0,  # noqa: ASYNC109  # SAQ's signature
        poll_interval: float = 0.0,
    ) -> Job | None:
        """SAQ's worker passes over what this raises, and asks again at once: 100 % of a core."""
        try:
            return await super().dequeue(timeout, poll_interval)
        except (RedisError, OSError) as error:
            self._dequeue_error = error
            return None

    def take_dequeue_error(self) -> Exception | None:
        """What kept the last dequeue from taking a job, once."""
        error, self._dequeue_error = self._dequeue_error, None
        return error

    async def _get_job_by_id(self, job_id: bytes | str) -> Job | None:
        """A record that cannot be read must not make every dequeue and every sweep fail."""
        async with self._op_sem:
            record = await self._client.get(job_id)
        return await self._read(job_id, record)

    async def _read(self, job_id: bytes | str, record: bytes | None) -> Job | None:
        if record is None:
            return None
        try:
            job = self.deserialize(record)  # pyright: ignore[reportUnknownMemberType]  # SAQ's dict
            numbers: tuple[object, ...] = (job.attempts, job.retries) if job else ("",)
            if job is None or not all(isinstance(number, int) for number in numbers):
                raise ValueError("it is no job")
            return job
        except UNREADABLE as error:
            name = job_id.decode(errors="replace") if isinstance(job_id, bytes) else job_id
            log.error("Job %s cannot be read and is set aside: %s", name, error)
            await self.quarantine(job_id)
            return None

    async def quarantine(self, job_id: bytes | str) -> None:
        await self._quarantine_script(
            keys=[self._incomplete, job_id, self._active, self._subjects],
            args=[int(FAILED.age.total_seconds())],
        )

    async def _retry(self, job: Job, error: str | None) -> None:
        """SAQ re-adds the old due time when there is no delay, and the job then runs twice."""
        delay = 0.0 if error == CANCELLED else job.next_retry_delay()
        if error == CANCELLED:
            job.attempts = max(0, job.attempts - 1)
        is_early = bool(job.meta.pop(COMES_AGAIN, False))
        due = self._clock() + delay if delay else 0
        job.scheduled = cast("int", due)
        pipeline = self._client.pipeline(transaction=True)
        pipeline.lrem(self._active, 1, job.id)
        pipeline.lrem(self._queued, 1, job.id)
        pipeline.zadd(self._incomplete, {job.id: due})
        if not due:
            pipeline.rpush(self._queued, job.id)
        pipeline.set(job.id, self.serialize(job))
        await pipeline.execute()
        if not is_early:
            self._telemetry.job_ended(job.function, "retried")
        await self.notify(job)

    async def _finish(
        self,
        job: Job,
        status: Status,
        *,
        result: Any = None,  # noqa: ARG002  # SAQ's signature; it is in the job already
        error: str | None = None,  # noqa: ARG002
    ) -> None:
        """SAQ keeps finished jobs in no list, so they cannot be found or counted."""
        kept = COMPLETED if status is Status.COMPLETE else FAILED
        ttl = job.ttl if status is Status.COMPLETE else int(FAILED.age.total_seconds())
        now = self._clock()
        await self._finish_script(
            keys=[self._incomplete, job.id, self._active, self._subjects, self._finished[status]],
            args=[
                self.serialize(job),
                max(ttl, 0),
                now,
                now - kept.age.total_seconds(),
                kept.number,
            ],
        )
        self._telemetry.job_ended(job.function, status.value)
        await self.notify(job)

    # --- dead workers

    async def recover_lost(self, worker_id: str, running: Collection[str]) -> list[str]:
        """Give back the jobs that no worker runs any more, and return their keys.

        `running` are the jobs that this worker is at: one of its own that it is not at is as lost
        as a dead worker's. (It could not say that it had finished: Redis was away.)

        SAQ's own sweep takes healthy jobs that were not yet marked active, waits 5 s for each dead
        one, and loses the job if it dies itself. This one asks whether the job's worker still
        shows its heartbeat, and recovers in one script that first checks that nothing has changed.
        """
        job_ids = await self._client.lrange(self._active, 0, -1)
        now = time.monotonic()
        if not job_ids:
            self._unheld_since.clear()
            return []
        records = await self._client.mget(job_ids)
        jobs = [
            await self._read(job_id, record) if record is not None else None
            for job_id, record in zip(job_ids, records, strict=True)
        ]
        holders = await self._holders(jobs)
        unheld: dict[bytes, float] = {}
        recovered: list[str] = []
        for job_id, record, job in zip(job_ids, records, jobs, strict=True):
            if record is not None and job is None:
                continue  # it could not be read, and is quarantined
            holder = str(job.worker_id) if job and job.status is Status.ACTIVE else None
            is_ours = job is not None and holder == worker_id
            if (job.key in running) if job and is_ours else holders.get(holder or "", False):
                continue
            unheld[job_id] = self._unheld_since.get(job_id, now)
            worker_is_dead = holder is not None and not is_ours
            grace = SECOND_MISS_S if worker_is_dead else UNHELD_GRACE_S
            if now - unheld[job_id] < grace:
                continue
            if job is None or record is None:
                await self.quarantine(job_id)
            elif await self._recover(job, record):
                recovered.append(job.key)
        self._unheld_since = unheld
        return recovered

    async def sweep(self, lock: int = 60, abort: float = 5.0) -> list[str]:  # noqa: ARG002
        """SAQ's name for it, for a sweeper that is no worker."""
        return await self.recover_lost("", ())

    async def _recover(self, job: Job, record: bytes) -> bool:
        if job.status is Status.ACTIVE and not job.retryable:
            await self.finish(job, Status.FAILED, error=WORKER_LOST)
            return False
        job.status = Status.QUEUED
        job.error = WORKER_LOST
        job.scheduled = 0
        keys = [self._incomplete, job.id, self._active, self._queued]
        return bool(await self._recover_script(keys=keys, args=[record, self.serialize(job)]))

    async def has_heartbeat(self, worker_id: str) -> bool:
        [heartbeat] = await self._client.mget([self.namespace(f"worker_info:{worker_id}")])
        return heartbeat is not None

    async def _holders(self, jobs: Sequence[Job | None]) -> Mapping[str, bool]:
        """The workers that these jobs name, and whether each shows its heartbeat (SAQ's
        worker_info, with its time to live). SAQ's list of workers is cut by the clocks of their
        hosts, which may be wrong; so each is asked for by its own key."""
        names = {str(job.worker_id) for job in jobs if job and job.status is Status.ACTIVE}
        listed = sorted(names)
        keys = [self.namespace(f"worker_info:{name}") for name in listed]
        heartbeats = await self._client.mget(keys) if keys else []
        return {
            name: heartbeat is not None for name, heartbeat in zip(listed, heartbeats, strict=True)
        }

    # --- what operators ask

    async def count_finished(self, status: Status) -> int:
        """What has outlived its time is not counted, though the next finish trims it."""
        kept = COMPLETED if status is Status.COMPLETE else FAILED
        oldest = self._clock() - kept.age.total_seconds()
        return await self._client.zcount(self._finished[status], oldest, "+inf")

    async def finished_keys(self, status: Status, offset: int, limit: int) -> list[str]:
        """Newest first."""
        ids = await self._client.zrevrange(self._finished[status], offset, offset + limit - 1)
        return [self.job_key_from_id(job_id.decode()) for job_id in ids]

    async def delete_finished_about(self, subject_ids: Collection[int]) -> int:
        """The records of finished jobs about these subjects. Returns how many there were."""
        wanted, deleted = set(subject_ids), 0
        for kept in set(self._finished.values()):
            job_ids = await self._client.zrange(kept, 0, -1)
            for start in range(0, len(job_ids), SCRIPT_BATCH):
                page = job_ids[start : start + SCRIPT_BATCH]
                records = await self._client.mget(page)
                gone = [
                    job_id
                    for job_id, record in zip(page, records, strict=True)
                    if record is not None and _subject_of(record) in wanted
                ]
                if gone:
                    pipeline = self._client.pipeline(transaction=False)
                    pipeline.zrem(kept, *gone)
                    pipeline.delete(*gone)
                    await pipeline.execute()
                    deleted += len(gone)
        return deleted


def _subject_of(record: bytes) -> int | None:
    try:
        return json.loads(record)["meta"]["subject_id"]
    except UNREADABLE:
        return None
