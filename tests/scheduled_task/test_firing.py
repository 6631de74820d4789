"""A timer whose time has come: decided once, with others that are due, or put off."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from domains.absence import AwayError
from domains.database import Database
from domains.scheduled_task.job_type import NotDueError
from domains.scheduled_task.timer_kind import TimerKind
from tests.waiting import eventually

from .conftest import MakeScheduler
from .job_types import HOUR, Alarm, Alarms, AlarmsAtOnce
from .redis_view import INCOMPLETE, RedisView

MANY = 250


def payload(alarm_id: int) -> dict[str, object]:
    return {"alarm_id": alarm_id}


async def run(kind: TimerKind, ids: Sequence[int]) -> None:
    for alarm_id in ids:
        await kind.run(payload(alarm_id))


async def test_one_job_decides_all_that_are_due_and_the_others_find_nothing_to_do(
    database: Database, alarms: Alarms
) -> None:
    kind = AlarmsAtOnce(database)
    ids = list(range(1, MANY + 1))
    await alarms.set(*ids, after=-HOUR)
    await alarms.set(1_000)
    await asyncio.gather(run(kind, ids[::2]), run(kind, ids[1::2]))
    assert sorted(id_ for ring in kind.rings for id_ in ring) == ids, "each once"
    assert len(kind.rings) <= 6, "in few transactions"
    assert len(kind.in_vain) >= MANY - len(kind.rings)


async def test_a_kind_without_batches_decides_its_own_timer_alone(
    database: Database, alarms: Alarms
) -> None:
    kind = Alarm(database)
    await alarms.set(1, 2, 3, after=-HOUR)
    await kind.run(payload(2))
    assert kind.rings == [[2]]


async def test_a_timer_fired_by_many_at_once_is_decided_once(
    database: Database, alarms: Alarms
) -> None:
    kind = Alarm(database)
    await alarms.set(1, after=-HOUR)
    await asyncio.gather(*(kind.run(payload(1)) for _ in range(10)))
    assert kind.rings == [[1]]
    assert kind.in_vain == [1] * 9


async def test_a_timer_that_is_gone_or_moved_fires_no_more(
    database: Database, alarms: Alarms
) -> None:
    kind = Alarm(database)
    await alarms.set(1, after=HOUR)
    with pytest.raises(NotDueError) as early:
        await kind.run(payload(1))
    assert timedelta(minutes=59) < early.value.remaining <= HOUR
    await alarms.remove(1)
    await kind.run(payload(1))
    assert kind.rings == []
    assert kind.in_vain == [1]


async def test_what_cannot_be_decided_yet_comes_again_when_it_says_and_the_rest_is_decided(
    *,
    make_scheduler: MakeScheduler,
    database: Database,
    alarms: Alarms,
    redis: RedisView,
    ends_soon: None,
    only_jobs: None,
) -> None:
    kind = AlarmsAtOnce(database)
    kind.postponed[1] = timedelta(seconds=0.2)
    scheduler = make_scheduler(kind)
    await alarms.set(1, 2, after=-HOUR)
    await scheduler.connect()
    await scheduler.reconcile()
    [key] = [key for key in await redis.ids(INCOMPLETE) if "-1-" in key]
    await scheduler.initialize()
    await eventually(lambda: len(kind.rings) >= 4)
    assert (await redis.record(key)).get("attempts", 0) <= 1, "none is lost"
    kind.postponed.clear()

    async def rung() -> bool:
        return kind.rings[-1] == [1] and await redis.keys() == set()

    await eventually(rung)
    assert kind.rings.count([2]) == 1


async def test_a_kind_that_cannot_decide_now_asks_nobody_and_loses_no_attempt(
    make_scheduler: MakeScheduler,
    database: Database,
    alarms: Alarms,
    ends_soon: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As while Discord is away."""
    looks = 0

    class Waiting(Alarm):
        async def before_firing(self) -> None:
            nonlocal looks
            looks += 1
            if looks <= 5:
                raise AwayError

    monkeypatch.setattr("domains.scheduled_task.workers.worker.AWAY_RETRY", timedelta(seconds=0.05))
    kind = Waiting(database)
    scheduler = make_scheduler(kind)
    await scheduler.initialize()
    await alarms.set(1, after=-HOUR)
    await scheduler.reconcile()
    await eventually(lambda: kind.rings == [[1]])
    assert looks == 6
