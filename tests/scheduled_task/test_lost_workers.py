"""Jobs of workers that are no more run again, soon and once; those of the living are let be."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

import pytest
from saq.job import Job, Status

from domains.scheduled_task.queues import PunctualQueue
from domains.scheduled_task.queues import queue as queue_module
from tests.waiting import eventually

from .by_hand import Monotonic
from .conftest import MakeByHand, MakeScheduler, Measured
from .job_types import ForgottenNote, Note, request
from .redis_view import ACTIVE, FAILED, HEARTBEATS, INSTALLATION_ID, LABEL, QUEUED, RedisView

ROOT = Path(__file__).parents[2]
GRACE_S = queue_module.UNHELD_GRACE_S
SECOND_MISS_S = queue_module.SECOND_MISS_S


class LaunchStuckWorker(Protocol):
    async def __call__(self, concurrency: int) -> asyncio.subprocess.Process: ...


@pytest.fixture
async def launch_stuck_worker(redis_url: str) -> AsyncGenerator[LaunchStuckWorker]:
    async with AsyncExitStack() as stack:

        async def launch(concurrency: int) -> asyncio.subprocess.Process:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", f"{__package__}.stuck_worker"),
                *(redis_url, str(concurrency)),
                cwd=ROOT,
            )
            stack.push_async_callback(kill, process)
            return process

        yield launch


async def kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


@pytest.fixture
def monotonic(monkeypatch: pytest.MonkeyPatch) -> Monotonic:
    monotonic = Monotonic()
    monkeypatch.setattr(queue_module, "time", monotonic)
    return monotonic


# --- whole processes


@pytest.mark.parametrize(
    ("jobs", "wait_for_real"),
    [(20, False), pytest.param(100, True, marks=pytest.mark.long)],
    ids=["its heartbeat is stopped by hand", "its heartbeat runs out"],
)
async def test_all_jobs_of_a_killed_worker_are_back_within_15_seconds_and_run_once_more(
    *,
    make_scheduler: MakeScheduler,
    by_hand: MakeByHand,
    launch_stuck_worker: LaunchStuckWorker,
    redis: RedisView,
    ends_soon: None,
    measured: Measured,
    jobs: int,
    wait_for_real: bool,
) -> None:
    async def all_are_running() -> bool:
        records = [await redis.record(key) for key in await redis.ids(ACTIVE)]
        return [record["status"] for record in records] == ["active"] * jobs

    notes = Note()
    await by_hand(notes).add(notes, *(request(f"job {number}") for number in range(jobs)))
    stuck = await launch_stuck_worker(concurrency=jobs)
    await eventually(all_are_running)
    await kill(stuck)
    if not wait_for_real:
        await redis.silence_workers()

    started = asyncio.get_running_loop().time()
    scheduler = make_scheduler(notes)
    await scheduler.initialize()
    await eventually(lambda: len(notes.runs) == jobs, timeout_s=15)
    seconds = asyncio.get_running_loop().time() - started
    await scheduler.shutdown()
    assert set(notes.runs.values()) == {1}
    assert await redis.ids(ACTIVE) == []
    measured(f"{jobs} jobs of a killed worker ran again within {seconds:.1f} s")


@pytest.mark.parametrize("jobs", [2_000, pytest.param(20_000, marks=pytest.mark.long)])
async def test_constant_sweeping_never_takes_a_job_from_a_healthy_worker(
    make_scheduler: MakeScheduler,
    by_hand: MakeByHand,
    redis: RedisView,
    ends_soon: None,
    jobs: int,
) -> None:
    notes = ForgottenNote()
    swept: list[list[str]] = []

    async def sweep_on_and_on() -> None:
        sweeper = by_hand(notes).queue
        while len(notes.runs) < jobs:
            swept.append(await sweeper.sweep())

    scheduler = make_scheduler(notes, concurrency=50)
    await scheduler.initialize()
    await by_hand(notes).queue.add_missing(
        notes, [request(f"job {number}") for number in range(jobs)]
    )
    async with asyncio.timeout(100):
        await asyncio.gather(*(sweep_on_and_on() for _ in range(4)))
    await scheduler.shutdown()
    assert set(notes.runs.values()) == {1}
    assert await redis.keys() == set()
    assert swept == [[]] * len(swept)


async def test_a_worker_that_lost_its_heartbeat_does_not_take_its_own_running_job_for_lost(
    make_scheduler: MakeScheduler,
    redis: RedisView,
    ends_soon: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So it is when Redis was frozen for longer than a heartbeat lasts."""
    monkeypatch.setattr("domains.scheduled_task.workers.worker.HEARTBEAT_INTERVAL_S", 60)
    monkeypatch.setattr("domains.scheduled_task.workers.worker.SWEEP_EVERY_S", 0.02)
    may_end = asyncio.Event()

    async def hold(_: str) -> None:
        await may_end.wait()

    async def sweeps() -> int:
        return (await redis.commands_served())["cmdstat_lrange"]

    notes = Note(hold)
    scheduler = make_scheduler(notes)
    await scheduler.initialize()
    await scheduler.enqueue(notes, request("job"))
    await eventually(lambda: notes.runs["job"] == 1)
    await redis.silence_workers()
    before = await sweeps()

    async def swept_often() -> bool:
        return await sweeps() >= before + 10

    await eventually(swept_often)
    may_end.set()
    await scheduler.shutdown()
    assert notes.runs == {"job": 1}


# --- step by step


class Held:
    """A job that begins when a worker takes it, and ends when the test says so."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()

    async def __call__(self, _: str) -> None:
        self.begun.set()
        await self.may_end.wait()


async def test_a_job_taken_but_never_begun_is_given_back_after_five_seconds(
    by_hand: MakeByHand, redis: RedisView, monotonic: Monotonic
) -> None:
    notes = Note()
    process = by_hand(notes)
    await process.add(notes, request("job"))
    assert await process.queue.dequeue(timeout=1)
    assert await process.queue.sweep() == []
    monotonic.time += GRACE_S - 0.1
    assert await process.queue.sweep() == []
    monotonic.time += 0.1
    assert await process.queue.sweep() == ["job"]
    assert await redis.ids(ACTIVE) == []
    await process.run_due()
    assert notes.runs == {"job": 1}


async def test_a_job_that_was_taken_anew_is_not_as_old_as_its_last_run(
    by_hand: MakeByHand, redis: RedisView, monotonic: Monotonic
) -> None:
    notes = Note()
    process = by_hand(notes)
    await process.add(notes, request("job"))
    await process.worker.worker_info(ttl=8)
    job = await process.queue.dequeue(timeout=1)
    assert job
    job.worker_id = process.worker.id
    await job.update(status=Status.ACTIVE)
    assert await process.queue.sweep() == []
    monotonic.time += 60
    assert await process.queue.sweep() == []
    await job.retry("cancelled")  # by a shutdown, say
    assert await process.queue.dequeue(timeout=1), "and at once it is taken by somebody else"
    assert await process.queue.sweep() == []
    monotonic.time += GRACE_S
    assert await process.queue.sweep() == ["job"]


async def test_a_running_job_of_a_living_worker_is_left_alone_however_long_it_takes(
    by_hand: MakeByHand, redis: RedisView, monotonic: Monotonic
) -> None:
    held = Held()
    notes = Note(held)
    process = by_hand(notes)
    await process.add(notes, request("job"))
    await process.worker.worker_info(ttl=8)
    running = asyncio.create_task(process.worker.process())
    await held.begun.wait()
    assert await process.queue.sweep() == []
    monotonic.time += 24 * 3600
    assert await process.queue.sweep() == []
    assert await process.another_worker().queue.sweep() == []
    held.may_end.set()
    await running
    assert notes.runs == {"job": 1}


async def test_a_running_job_of_a_worker_without_a_heartbeat_is_given_back_when_missed_twice(
    by_hand: MakeByHand, redis: RedisView, monotonic: Monotonic
) -> None:
    """All workers are missed once after a partition: who is back first must not rob the others."""
    held = Held()
    notes = Note(held)
    process = by_hand(notes)
    await process.add(notes, request("job"))
    running = asyncio.create_task(process.worker.process())
    await held.begun.wait()
    sweeper = process.another_worker().queue
    assert await sweeper.sweep() == []
    monotonic.time += SECOND_MISS_S - 0.1
    assert await sweeper.sweep() == []
    await process.worker.worker_info(ttl=8)
    monotonic.time += SECOND_MISS_S
    assert await sweeper.sweep() == [], "it is back"
    await redis.silence_workers()
    assert await sweeper.sweep() == [], "missed for the first time again"
    monotonic.time += SECOND_MISS_S
    assert await sweeper.sweep() == ["job"]
    assert await redis.ids(QUEUED) == ["job"]
    assert await redis.ids(ACTIVE) == []
    assert (await redis.record("job"))["attempts"] == 1, "it counts as an attempt"
    held.may_end.set()
    await running


async def test_a_heartbeat_is_looked_for_under_its_workers_own_key(
    by_hand: MakeByHand, redis: RedisView, monotonic: Monotonic
) -> None:
    """SAQ's common list of workers is cut by each process with its own clock: one that is ahead
    throws the others out."""
    held = Held()
    notes = Note(held)
    process = by_hand(notes)
    await process.add(notes, request("job"))
    await process.worker.worker_info(ttl=8)
    running = asyncio.create_task(process.worker.process())
    await held.begun.wait()
    await redis.call("DEL", HEARTBEATS)
    sweeper = process.another_worker().queue
    for _ in range(3):
        assert await sweeper.sweep() == []
        monotonic.time += 60
    held.may_end.set()
    await running
    assert notes.runs == {"job": 1}


async def test_sweepers_that_meet_give_a_job_back_once(
    by_hand: MakeByHand, redis: RedisView, monotonic: Monotonic
) -> None:
    held = Held()
    notes = Note(held)
    process = by_hand(notes)
    await process.add(notes, request("job"))
    running = asyncio.create_task(process.worker.process())
    await held.begun.wait()
    sweepers = [process.another_worker().queue for _ in range(10)]
    assert await asyncio.gather(*(sweeper.sweep() for sweeper in sweepers)) == [[]] * 10
    monotonic.time += SECOND_MISS_S
    given_back = await asyncio.gather(*(sweeper.sweep() for sweeper in sweepers))
    assert sorted(given_back) == [*([] for _ in range(9)), ["job"]]
    assert await redis.ids(QUEUED) == ["job"]
    held.may_end.set()
    await running


class SlowSweeper(PunctualQueue):
    """Something happens between its look at a job and what it does to it."""

    async def meanwhile(self) -> None: ...

    async def _recover(self, job: Job, record: bytes) -> bool:
        await self.meanwhile()
        return await super()._recover(job, record)


async def test_a_job_that_ends_under_the_sweepers_eyes_is_not_given_back(
    by_hand: MakeByHand,
    redis: RedisView,
    monotonic: Monotonic,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = Held()
    notes = ForgottenNote(held)
    process = by_hand(notes)
    await process.add(notes, request("job"))
    running = asyncio.create_task(process.worker.process())
    await held.begun.wait()

    async def let_it_end() -> None:
        held.may_end.set()
        await running

    sweeper = SlowSweeper(
        process.client, LABEL, installation_id=INSTALLATION_ID, clock=process.clock.now
    )
    monkeypatch.setattr(sweeper, "meanwhile", let_it_end)
    assert await sweeper.sweep() == []
    assert not held.may_end.is_set()
    monotonic.time += SECOND_MISS_S
    assert await sweeper.sweep() == []
    assert notes.runs == {"job": 1}
    assert await redis.keys() == set()


async def test_a_job_lost_at_its_last_attempt_has_failed(
    by_hand: MakeByHand, redis: RedisView, monotonic: Monotonic
) -> None:
    held = Held()
    notes = Note(held)
    process = by_hand(notes)
    await process.add(notes, request("job"))
    await redis.edit_record("job", attempts=3)
    running = asyncio.create_task(process.worker.process())
    await held.begun.wait()
    sweeper = process.another_worker().queue
    assert await sweeper.sweep() == []
    monotonic.time += SECOND_MISS_S
    assert await sweeper.sweep() == []
    record = await redis.record("job")
    assert (record["status"], record["error"]) == ("failed", "worker lost")
    assert await redis.ids(FAILED) == ["job"]
    assert await redis.ids(ACTIVE) == await redis.ids(QUEUED) == []
    held.may_end.set()
    await running
