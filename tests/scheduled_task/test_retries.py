"""A failed attempt is followed by others after exactly 1, 2 and 4 minutes, and then by a person."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import ClassVar

import pytest

from domains.logs import AboutFilter
from domains.scheduled_task.job_type import NoRetryError, NotDueError, RunPolicy

from .by_hand import ByHand
from .conftest import MakeByHand
from .job_types import Note, fail, request
from .redis_view import ACTIVE, FAILED, QUEUE, QUEUED, RedisView, record_key

DELAYS_S = (60, 120, 240)


class HastyNote(Note):
    """Has a second for each attempt."""

    policy: ClassVar[RunPolicy] = RunPolicy(timeout=timedelta(seconds=1))


async def test_retries_come_exactly_1_2_and_4_minutes_after_each_failed_attempt(
    by_hand: MakeByHand, redis: RedisView
) -> None:
    notes = Note(fail)
    process = by_hand(notes)
    due = process.clock.time + 5
    await process.add(notes, request("job", due))
    process.clock.time = due
    for attempt, delay in enumerate(DELAYS_S, start=1):
        process.clock.time += 0.123  # an attempt takes its time, and the delay counts from its end
        assert await process.run_due() == 1
        assert notes.runs["job"] == attempt
        assert notes.given_up == []
        due = process.clock.time + delay
        assert await redis.due("job") == pytest.approx(due, abs=0.001)
        process.clock.time = due - 0.001
        assert await process.run_due() == 0, "not a millisecond early"
        process.clock.time = due
    assert await process.run_due() == 1
    assert notes.runs["job"] == 4
    assert await redis.due("job") is None
    assert (await redis.record("job"))["status"] == "failed"


async def test_every_job_waits_the_same_time_without_jitter(
    by_hand: MakeByHand, redis: RedisView
) -> None:
    notes = Note(fail)
    process = by_hand(notes)
    keys = [f"job {number}" for number in range(20)]
    await process.add(notes, *map(request, keys))
    await process.run_due()
    assert {await redis.due(key) for key in keys} == {process.clock.time + 60}


async def test_a_job_that_failed_for_good_is_kept_with_its_traceback_and_given_up_once(
    by_hand: MakeByHand, redis: RedisView
) -> None:
    notes = Note(fail)
    process = by_hand(notes)
    await process.add(notes, request("job"))
    await exhaust(process)
    record = await redis.record("job")
    assert record["status"] == "failed"
    assert record["attempts"] == 4
    assert "Traceback" in record["error"]
    assert "RuntimeError: job failed" in record["error"]
    assert notes.given_up == [("job", "job failed")]
    assert await redis.ids(FAILED) == ["job"]
    assert await redis.ids(ACTIVE) == await redis.ids(QUEUED) == []


async def test_a_job_whose_giving_up_fails_too_is_kept_as_failed_all_the_same(
    by_hand: MakeByHand, redis: RedisView
) -> None:
    class HopelessNote(Note):
        async def give_up(self, payload: object, error: Exception) -> None:
            raise RuntimeError("nobody to tell")

    notes = HopelessNote(fail)
    process = by_hand(notes)
    await process.add(notes, request("job"))
    await exhaust(process)
    assert notes.runs["job"] == 4
    assert await redis.ids(FAILED) == ["job"]
    error = (await redis.record("job"))["error"]
    assert "job failed" in error
    assert "nobody to tell" in error


async def test_a_success_after_failures_ends_the_retries(
    by_hand: MakeByHand, redis: RedisView
) -> None:
    async def fail_once(_: str) -> None:
        if notes.runs["job"] == 1:
            raise RuntimeError("once")

    notes = Note(fail_once)
    process = by_hand(notes)
    await process.add(notes, request("job"))
    await exhaust(process)
    assert notes.runs["job"] == 2
    assert (await redis.record("job"))["status"] == "complete"
    assert notes.given_up == []


async def test_an_attempt_that_takes_too_long_counts_like_any_other(
    by_hand: MakeByHand, redis: RedisView
) -> None:
    async def hang(_: str) -> None:
        await asyncio.Event().wait()

    notes = HastyNote(hang)
    process = by_hand(notes)
    await process.add(notes, request("job"))
    await redis.edit_record("job", attempts=1)
    assert await process.run_due() == 1
    assert await redis.due("job") == process.clock.time + 120

    await redis.edit_record("job", attempts=3)
    process.clock.time += 120
    assert await process.run_due() == 1
    assert (await redis.record("job"))["status"] == "failed"
    assert [key for key, _ in notes.given_up] == ["job"]


async def test_a_job_that_came_too_early_comes_again_when_it_says_and_loses_no_attempt(
    by_hand: MakeByHand, redis: RedisView
) -> None:
    async def too_early_twice(key: str) -> None:
        if notes.runs[key] <= 2:
            raise NotDueError(timedelta(seconds=1.5))
        raise RuntimeError("and then it fails")

    notes = Note(too_early_twice)
    process = by_hand(notes)
    await process.add(notes, request("job"))
    for _ in range(2):
        await process.run_due()
        assert await redis.due("job") == process.clock.time + 1.5
        process.clock.time += 1.5
    await process.run_due()
    assert await redis.due("job") == process.clock.time + 60
    await exhaust(process)
    assert notes.runs["job"] == 2 + 4


async def test_what_no_retry_fixes_fails_at_once_and_is_kept(
    by_hand: MakeByHand, redis: RedisView
) -> None:
    async def fail_for_good(_: str) -> None:
        raise NoRetryError("no permission")

    notes = Note(fail_for_good)
    process = by_hand(notes)
    await process.add(notes, request("job"))
    await exhaust(process)
    assert notes.runs["job"] == 1
    assert notes.given_up == []
    assert (await redis.record("job"))["status"] == "failed"


async def test_an_unknown_job_name_fails_at_once_and_says_so(
    by_hand: MakeByHand, redis: RedisView, caplog: pytest.LogCaptureFixture
) -> None:
    notes = Note()
    process = by_hand(notes)
    await process.add(notes, request("job"))
    await redis.edit_record("job", function="auto-open", kwargs={"ticket_id": 12})
    about = AboutFilter()
    caplog.handler.addFilter(about)
    await process.run_due()
    caplog.handler.removeFilter(about)
    record = await redis.record("job")
    assert record["status"] == "failed"
    assert record["attempts"] == 1
    assert "Unknown job type: auto-open" in record["error"]
    assert caplog.messages.count("Unknown job type: auto-open") == 1
    line = next(record for record in caplog.records if "Unknown" in record.getMessage())
    assert line.__dict__["about"] == " [ticket=12 job=job]"
    assert await redis.ids(FAILED) == ["job"]
    assert await redis.due("job") is None


async def test_a_job_that_saq_itself_enqueued_is_run_too(
    by_hand: MakeByHand, redis: RedisView
) -> None:
    notes = Note()
    process = by_hand(notes)
    record = {"function": "note", "queue": QUEUE, "key": "job", "kwargs": {"key": "job"}}
    await redis.call("SET", record_key("job"), json.dumps(record))
    await redis.call("ZADD", f"saq:{QUEUE}:incomplete", 0, record_key("job"))
    await redis.call("RPUSH", QUEUED, record_key("job"))
    await process.run_due()
    assert notes.runs["job"] == 1


async def exhaust(process: ByHand) -> None:
    """Run what is due until an hour has gone by."""
    for _ in range(60):
        await process.run_due()
        process.clock.time += 60
