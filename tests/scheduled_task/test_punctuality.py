"""Jobs run when they are due: never early, once, and however many are due at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import ClassVar

import pytest

from domains.database import Database
from domains.scheduled_task import ScheduledTask
from domains.scheduled_task.queues.queue import Promotion, PunctualQueue
from tests.waiting import eventually

from .conftest import MakeByHand, MakeScheduler, Measured
from .job_types import ForgottenNote, Note, request
from .redis_view import RedisView

Clock = Callable[[], float]


class TimedNote(ForgottenNote):
    """Notes by how much each job was late, in milliseconds."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(self._note)
        self._clock = clock
        self.due: dict[str, float] = {}
        self.late_ms: dict[str, float] = {}

    async def _note(self, key: str) -> None:
        self.late_ms[key] = (self._clock() - self.due[key]) * 1000

    async def schedule(self, scheduler: ScheduledTask, key: str, due: float) -> None:
        self.due[key] = due
        assert await scheduler.enqueue(self, request(key, due)) == key


@pytest.mark.parametrize(
    "delay_s", [-3600, -0.001, 0, 0.001, 0.05, 0.4, 0.999], ids=lambda delay: f"{delay:+} s"
)
async def test_a_timer_below_a_second_due_now_or_in_the_past_runs_once_and_not_early(
    make_scheduler: MakeScheduler, database: Database, ends_soon: None, delay_s: float
) -> None:
    notes = TimedNote(database.clock.now)
    scheduler = make_scheduler(notes)
    await scheduler.initialize()
    await notes.schedule(scheduler, "job", database.clock.now() + delay_s)
    await eventually(lambda: "job" in notes.late_ms)
    assert notes.late_ms["job"] >= 0
    await scheduler.shutdown()
    assert notes.runs == {"job": 1}


@pytest.mark.parametrize("jobs", [2_000, pytest.param(10_000, marks=pytest.mark.long)])
async def test_thousands_of_jobs_due_at_once_all_run_once_and_redis_is_never_blocked(
    *,
    make_scheduler: MakeScheduler,
    by_hand: MakeByHand,
    database: Database,
    redis: RedisView,
    ends_soon: None,
    measured: Measured,
    jobs: int,
) -> None:
    notes = ForgottenNote()
    due = database.clock.now() - 1
    requests = [request(f"job {number}", due + number / jobs) for number in range(jobs)]
    assert await by_hand(notes).queue.add_missing(notes, requests) == jobs

    await redis.note_slow_commands()
    scheduler = make_scheduler(notes)
    started = time.perf_counter()
    await scheduler.initialize()
    await eventually(lambda: len(notes.runs) == jobs, timeout_s=90)
    seconds = time.perf_counter() - started
    await scheduler.shutdown()
    assert set(notes.runs.values()) == {1}
    slow = await redis.slow_commands()
    assert slow.that_block == []
    assert await redis.keys() == set()
    measured(f"{jobs} jobs due at once: {jobs / seconds:.0f} a second; {slow}")


async def test_however_many_are_due_redis_moves_500_at_a_time(by_hand: MakeByHand) -> None:
    notes = Note()
    process = by_hand(notes)
    past, next_due = process.clock.time - 1, process.clock.time + 60
    await process.queue.add_missing(notes, [request(f"job {n}", past) for n in range(1_200)])
    await process.add(notes, request("later", next_due))
    moved = [await process.queue.promote_due() for _ in range(4)]
    assert [promotion.moved for promotion in moved] == [500, 500, 200, 0]
    assert {promotion.next_due for promotion in moved} == {past, next_due}


async def test_the_lateness_of_200_timers(
    make_scheduler: MakeScheduler, database: Database, ends_soon: None, measured: Measured
) -> None:
    notes = TimedNote(database.clock.now)
    scheduler = make_scheduler(notes)
    await scheduler.initialize()
    first = database.clock.now() + 0.3
    for number in range(200):
        await notes.schedule(scheduler, f"job {number}", first + number * 0.01)
    await eventually(lambda: len(notes.late_ms) == 200)
    late = sorted(notes.late_ms.values())
    assert late[0] >= 0
    assert set(notes.runs.values()) == {1}
    measured(
        f"lateness of 200 timers: p50 {late[100]:.1f} ms, p99 {late[198]:.1f} ms,"
        f" worst {late[199]:.1f} ms"
    )


async def test_an_idle_scheduler_leaves_redis_in_peace(
    make_scheduler: MakeScheduler, database: Database, redis: RedisView, measured: Measured
) -> None:
    notes = Note()
    scheduler = make_scheduler(notes)
    await scheduler.initialize()
    await scheduler.enqueue(notes, request("far off", database.clock.now() + 3600))
    await scheduler.enqueue(notes, request("now"))
    await eventually(lambda: notes.runs["now"] == 1)
    before = await redis.commands_served()
    await asyncio.sleep(2)
    served = (await redis.commands_served() - before).total()
    measured(f"commands a second of an idle scheduler: {served / 2:.0f}")
    assert served / 2 <= 30


class InterruptedQueue(PunctualQueue):
    """Lets something happen between Redis's answer and the worker's reading of it."""

    meanwhile: ClassVar[list[Callable[[], Awaitable[None]]]] = []

    async def promote_due(self) -> Promotion:
        promotion = await super().promote_due()
        while self.meanwhile:
            await self.meanwhile.pop()()
        return promotion


async def test_a_timer_set_while_the_worker_looks_at_the_clock_is_not_overlooked(
    make_scheduler: MakeScheduler,
    database: Database,
    ends_soon: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A look that comes by itself would hide it.
    monkeypatch.setattr("domains.scheduled_task.workers.worker.IDLE_POLL_S", 60.0)
    monkeypatch.setattr("domains.scheduled_task.redis_queues.PunctualQueue", InterruptedQueue)
    notes = TimedNote(database.clock.now)
    scheduler = make_scheduler(notes)

    async def set_timer() -> None:
        await notes.schedule(scheduler, "job", database.clock.now() + 0.1)

    await scheduler.initialize()
    InterruptedQueue.meanwhile.append(set_timer)
    await eventually(lambda: "job" in notes.late_ms, timeout_s=5)
