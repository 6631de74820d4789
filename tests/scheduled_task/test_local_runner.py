"""Overdue jobs without Redis: in this process, a few at a time, with the same retries."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import ClassVar

import pytest

from domains.database import DatabaseAwayError
from domains.scheduled_task.job_type import NoRetryError, NotDueError, RunPolicy
from domains.scheduled_task.workers import local_runner
from domains.scheduled_task.workers.local_runner import LocalRunner
from domains.telemetry import NoTelemetry
from tests.waiting import eventually

from .by_hand import Monotonic
from .job_types import ForgottenNote, Note, fail, request

DELAYS_S = (60, 120, 240)


@pytest.fixture
def monotonic(monkeypatch: pytest.MonkeyPatch) -> Monotonic:
    monotonic = Monotonic()
    monkeypatch.setattr(local_runner, "time", monotonic)
    return monotonic


async def offer(runner: LocalRunner, notes: Note, *keys: str) -> None:
    """Offer the jobs, and wait until all that were taken have ended."""
    runner.offer(notes, [request(key) for key in keys])
    await runner.drain(timedelta(seconds=10))


async def test_an_offered_job_runs_at_once() -> None:
    notes = Note()
    await offer(LocalRunner(5), notes, "a", "b")
    assert notes.runs == {"a": 1, "b": 1}


async def test_no_more_jobs_run_at_once_than_allowed() -> None:
    running, most = 0, 0

    async def count(_: str) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    notes = Note(count)
    await offer(LocalRunner(3), notes, *(f"job {number}" for number in range(50)))
    assert len(notes.runs) == 50
    assert most == 3


async def test_a_job_offered_again_while_it_runs_or_waits_runs_once() -> None:
    may_end = asyncio.Event()

    async def hold(_: str) -> None:
        await may_end.wait()

    notes = Note(hold)
    runner = LocalRunner(1)
    for _ in range(5):
        runner.offer(notes, [request("running"), request("waiting")])
    await eventually(lambda: bool(notes.runs))
    runner.offer(notes, [request("running"), request("waiting")])
    may_end.set()
    await runner.drain(timedelta(seconds=10))
    assert notes.runs == {"running": 1, "waiting": 1}


async def test_the_retries_come_after_1_2_and_4_minutes_and_then_it_is_given_up_once(
    monotonic: Monotonic,
) -> None:
    notes = Note(fail)
    runner = LocalRunner(5)
    for attempt, delay in enumerate(DELAYS_S, start=1):
        await offer(runner, notes, "job")
        assert notes.runs["job"] == attempt
        monotonic.time += delay - 0.001
        await offer(runner, notes, "job")
        assert notes.runs["job"] == attempt, "not a millisecond early"
        assert notes.given_up == []
        monotonic.time += 0.001
    for _ in range(3):
        await offer(runner, notes, "job")
        monotonic.time += 3600
    assert notes.runs["job"] == 4
    assert notes.given_up == [("job", "job failed")]


async def test_what_no_retry_fixes_is_not_tried_again(monotonic: Monotonic) -> None:
    async def fail_for_good(_: str) -> None:
        raise NoRetryError("no permission")

    notes = Note(fail_for_good)
    runner = LocalRunner(5)
    for _ in range(3):
        await offer(runner, notes, "job")
        monotonic.time += 3600
    assert notes.runs["job"] == 1
    assert notes.given_up == []


async def test_a_job_that_came_too_early_loses_no_attempt(monotonic: Monotonic) -> None:
    async def too_early_twice(key: str) -> None:
        if notes.runs[key] <= 2:
            raise NotDueError(timedelta(seconds=2))
        raise RuntimeError("and then it fails")

    notes = Note(too_early_twice)
    runner = LocalRunner(5)
    await offer(runner, notes, "job")
    await offer(runner, notes, "job")
    assert notes.runs["job"] == 1
    for _ in range(60):
        monotonic.time += 60
        await offer(runner, notes, "job")
    assert notes.runs["job"] == 2 + 4
    assert len(notes.given_up) == 1


async def test_after_redis_has_returned_and_gone_again_the_count_begins_anew(
    monotonic: Monotonic,
) -> None:
    notes = Note(fail)
    runner = LocalRunner(5)
    await offer(runner, notes, "job")
    runner.clear()
    await offer(runner, notes, "job")
    assert notes.runs["job"] == 2


async def test_outcomes_are_counted_as_they_are_with_redis(monotonic: Monotonic) -> None:
    class Count(NoTelemetry):
        def job_ended(self, name: str, outcome: str) -> None:
            told.append((name, outcome))

    async def end(key: str) -> None:
        match key:
            case "early":
                raise NotDueError(timedelta(seconds=2))
            case "postgresql is away":
                raise DatabaseAwayError
            case "hopeless":
                raise NoRetryError("no permission")
            case "failing":
                raise RuntimeError("no")
            case _:
                return

    told: list[tuple[str, str]] = []
    notes = Note(end)
    runner = LocalRunner(5, Count())
    for key in ("fine", "early", "postgresql is away", "hopeless"):
        await offer(runner, notes, key)
    assert told == [("note", "complete"), ("note", "retried"), ("note", "failed")]
    told.clear()
    for _ in range(6):
        await offer(runner, notes, "failing")
        monotonic.time += 3600
    assert told == [("note", "retried")] * 3 + [("note", "failed")]


async def test_a_job_that_is_no_longer_overdue_is_forgotten_and_those_of_other_types_are_not(
    monotonic: Monotonic,
) -> None:
    """Or all that ever failed would be remembered until the process ends."""
    notes, others = Note(fail), ForgottenNote(fail)
    runner = LocalRunner(5)
    await offer(runner, others, "other")
    await offer(runner, notes, "over", "job")
    await offer(runner, notes, "job")
    await offer(runner, notes, "over", "job")
    await offer(runner, others, "other")
    assert notes.runs == {"over": 2, "job": 1}, "only the forgotten one does not wait"
    assert others.runs == {"other": 1}


async def test_an_attempt_takes_no_longer_than_its_policy_says_and_counts_as_failed() -> None:
    class HastyNote(Note):
        policy: ClassVar[RunPolicy] = RunPolicy(timeout=timedelta(seconds=0.05), retry_delays=())

    async def hang(_: str) -> None:
        await asyncio.Event().wait()

    notes = HastyNote(hang)
    await offer(LocalRunner(5), notes, "job")
    assert notes.given_up == [("job", "it took more than 0:00:00.050000")]


async def test_a_giving_up_that_fails_is_logged_and_harms_nobody(
    monotonic: Monotonic, caplog: pytest.LogCaptureFixture
) -> None:
    class HopelessNote(Note):
        async def give_up(self, payload: object, error: Exception) -> None:
            raise RuntimeError("nobody to tell")

    notes = HopelessNote(fail)
    runner = LocalRunner(5)
    for _ in range(4):
        await offer(runner, notes, "job")
        monotonic.time += 3600
    assert "Giving up job job failed too" in caplog.messages


async def test_the_end_waits_for_running_jobs_and_cuts_off_those_that_take_too_long() -> None:
    ended: list[str] = []

    async def hang(key: str) -> None:
        if key == "quick":
            ended.append(key)
            return
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cut off")
            raise

    notes = Note(hang)
    runner = LocalRunner(5)
    runner.offer(notes, [request("quick"), request("stuck")])
    await runner.drain(timedelta(seconds=0.05))
    assert ended == ["quick", "cut off"]
    await runner.drain(timedelta(seconds=10))
