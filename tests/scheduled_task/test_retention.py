"""How long finished jobs are kept, and what becomes of their records."""

from __future__ import annotations

import json
from datetime import timedelta

from saq.job import Status

from .conftest import MakeByHand
from .job_types import FailingOnce, ForgottenNote, Note, request
from .redis_view import COMPLETED, FAILED, QUEUE, RedisView, record_key

DAY_S = timedelta(days=1).total_seconds()


async def test_at_most_100_completed_jobs_are_kept_and_the_records_of_older_ones_are_gone(
    by_hand: MakeByHand, redis: RedisView
) -> None:
    notes = Note()
    process = by_hand(notes)
    keys = [f"job {number:03}" for number in range(105)]
    for key in keys:
        process.clock.time += 1
        await process.add(notes, request(key))
        await process.run_due()
    assert await redis.ids(COMPLETED) == keys[5:]
    assert await process.queue.count_finished(Status.COMPLETE) == 100
    assert await redis.keys() == {COMPLETED, *map(record_key, keys[5:])}
    assert 0 < await redis.time_to_live(keys[-1]) <= DAY_S


async def test_completed_jobs_are_kept_for_24_hours(by_hand: MakeByHand, redis: RedisView) -> None:
    notes = Note()
    process = by_hand(notes)
    await process.add(notes, request("yesterday's"))
    await process.run_due()
    process.clock.time += DAY_S - 1
    assert await process.queue.count_finished(Status.COMPLETE) == 1
    process.clock.time += 2
    assert await process.queue.count_finished(Status.COMPLETE) == 0, "not even before it is trimmed"
    await process.add(notes, request("today's"))
    await process.run_due()
    assert await redis.keys() == {COMPLETED, record_key("today's")}


async def test_at_most_1000_failed_jobs_are_kept_for_at_most_7_days(
    by_hand: MakeByHand, redis: RedisView
) -> None:
    notes = FailingOnce()
    process = by_hand(notes)
    now = process.clock.time
    too_old = [f"old {number}" for number in range(3)]
    older = [f"older {number}" for number in range(3)]
    recent = [f"recent {number}" for number in range(999)]
    failed_at = dict.fromkeys(too_old, now - 7 * DAY_S - 1)
    failed_at |= dict.fromkeys(older, now - 7 * DAY_S + 60) | dict.fromkeys(recent, now - 60)
    await redis.call_all(
        command
        for key, at in failed_at.items()
        for command in (
            ("ZADD", FAILED, at, record_key(key)),
            ("SET", record_key(key), json.dumps({"function": "note", "queue": QUEUE, "key": key})),
        )
    )
    await process.add(notes, request("new"))
    await process.run_due()
    assert await redis.ids(FAILED) == [*sorted(recent), "new"]
    assert await redis.keys() == {FAILED, record_key("new"), *map(record_key, recent)}
    assert 6 * DAY_S < await redis.time_to_live("new") <= 7 * DAY_S


async def test_a_success_that_nobody_wants_to_know_of_leaves_no_key(
    by_hand: MakeByHand, redis: RedisView
) -> None:
    notes = ForgottenNote()
    process = by_hand(notes)
    await process.add(notes, request("job"))
    assert await redis.keys() != set()
    await process.run_due()
    assert notes.runs["job"] == 1
    assert await redis.keys() == set()


async def test_trimming_never_takes_the_record_of_a_job_that_is_to_run_again(
    by_hand: MakeByHand, redis: RedisView
) -> None:
    notes = Note()
    process = by_hand(notes)
    await process.add(notes, request("again and again"))
    await process.run_due()
    await process.add(notes, request("again and again", process.clock.time + 10 * DAY_S))
    assert await redis.ids(COMPLETED) == []
    process.clock.time += 2 * DAY_S
    await process.add(notes, request("other"))
    await process.run_due()
    process.clock.time += 9 * DAY_S
    await process.run_due()
    assert notes.runs["again and again"] == 2


async def test_finished_jobs_are_listed_newest_first(by_hand: MakeByHand) -> None:
    notes = Note()
    process = by_hand(notes)
    for number in range(4):
        process.clock.time += 1
        await process.add(notes, request(f"job {number}"))
        await process.run_due()
    assert await process.queue.finished_keys(Status.COMPLETE, 1, 2) == ["job 2", "job 1"]
