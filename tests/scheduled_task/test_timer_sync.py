"""The jobs in Redis follow the timers that PostgreSQL wants, whoever changes them and when."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

import pytest

from domains.database import Database
from domains.scheduled_task.job_type import TICKET_LIFECYCLE
from domains.scheduled_task.redis_queues import RedisQueues
from domains.scheduled_task.timer import Timer
from domains.scheduled_task.timer_kind import TimerKind
from domains.scheduled_task.timer_sync import BATCH, TimerSync
from domains.scheduled_task.timers import Timers
from domains.telemetry import NO_TELEMETRY
from tests.waiting import eventually

from .conftest import MakeScheduler
from .job_types import HOUR, Alarm, Alarms, HiddenAlarm, Note, request
from .redis_view import INCOMPLETE, RedisView
from .tickets import GUILD_ID

MANY = 2 * BATCH + 1


class WatchedTimers(Timers):
    """Counts how often PostgreSQL is asked; something may happen just after it has answered."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.asked = 0
        self.meanwhile: list[Callable[[], Awaitable[object]]] = []

    async def of_owners(
        self, kinds: Sequence[TimerKind], owner_ids: Sequence[int]
    ) -> Sequence[Timer]:
        self.asked += 1
        timers = await super().of_owners(kinds, owner_ids)
        if self.meanwhile:
            await self.meanwhile.pop()()
        return timers


@pytest.fixture
async def queues(database: Database, redis_url: str) -> AsyncGenerator[RedisQueues]:
    queues = RedisQueues(database, redis_url, [TICKET_LIFECYCLE], NO_TELEMETRY)
    assert await queues.health.check()
    yield queues
    await queues.close()


@pytest.fixture
def timers(database: Database) -> WatchedTimers:
    return WatchedTimers(database)


@pytest.fixture
def sync(database: Database, queues: RedisQueues, timers: WatchedTimers) -> TimerSync:
    return TimerSync(timers, [Alarm(database), HiddenAlarm(database)], queues)


async def jobs(redis: RedisView) -> list[str]:
    """Without their deadlines."""
    return sorted(key.rpartition("-")[0] for key in await redis.ids(INCOMPLETE))


async def test_what_a_commit_has_touched_is_followed_by_the_jobs_of_all_its_kinds(
    make_scheduler: MakeScheduler, database: Database, alarms: Alarms, redis: RedisView
) -> None:
    scheduler = make_scheduler(Alarm(database), HiddenAlarm(database))
    database.on_touched = scheduler.on_touched
    await scheduler.connect()
    await alarms.set_and_touch(1, 2)
    before = await redis.ids(INCOMPLETE)
    assert await jobs(redis) == ["alarm-1", "alarm-2", "hidden-alarm-1", "hidden-alarm-2"]
    await alarms.set_and_touch(1, after=2 * HOUR)
    moved = await redis.ids(INCOMPLETE)
    assert len(set(before) & set(moved)) == 2, "those of the other stay"
    assert len(moved) == 4
    await alarms.remove(1)
    await scheduler.on_touched([("alarm", 1), ("ticket", 2)])
    assert await jobs(redis) == ["alarm-2", "hidden-alarm-2"]


async def test_a_rollback_schedules_nothing(
    make_scheduler: MakeScheduler, database: Database, alarms: Alarms, redis: RedisView
) -> None:
    scheduler = make_scheduler(Alarm(database))
    database.on_touched = scheduler.on_touched
    await scheduler.connect()
    with pytest.raises(KeyError):
        async with database.transaction() as transaction:
            transaction.touch(Alarm.owner, 1)
            raise KeyError
    assert await jobs(redis) == []


async def test_many_are_followed_with_a_few_queries(
    sync: TimerSync, timers: WatchedTimers, alarms: Alarms, redis: RedisView
) -> None:
    ids = list(range(1, MANY + 1))
    await alarms.set(*ids)
    assert len(await sync.owners("alarm", ids)) == 2 * MANY
    assert len(await redis.ids(INCOMPLETE)) == 2 * MANY
    assert timers.asked == 2 * 3, "and once more, after a change"
    await alarms.set(*ids, after=2 * HOUR)
    before = await redis.commands_served()
    await sync.owners("alarm", ids)
    served = await redis.commands_served() - before
    assert len(await redis.ids(INCOMPLETE)) == 2 * MANY
    assert timers.asked == 4 * 3
    assert served["cmdstat_zmscore"] <= 2 * 3, "jobs are looked for in pages"


async def test_a_change_that_is_taken_back_while_it_is_followed_leaves_its_job(
    sync: TimerSync, timers: WatchedTimers, database: Database, alarms: Alarms, redis: RedisView
) -> None:
    """The deadline is the same again, and so is the key: who follows the second change finds the
    job in its place, and who follows the first one is about to remove it."""
    await alarms.set(1)
    await sync.owners("alarm", [1])
    before = sorted(await redis.ids(INCOMPLETE))
    off = "update scratch.alarms set rung = '{alarm,hidden-alarm}'"
    on = "update scratch.alarms set rung = '{}'"

    async def take_back() -> None:
        await database.pool.execute(on)
        await sync.owners("alarm", [1])

    await database.pool.execute(off)
    timers.meanwhile.append(take_back)
    await sync.owners("alarm", [1])
    assert sorted(await redis.ids(INCOMPLETE)) == before


async def test_a_timer_that_is_switched_off_while_it_is_followed_leaves_no_job(
    sync: TimerSync, timers: WatchedTimers, alarms: Alarms, redis: RedisView
) -> None:
    """Who follows the second change finds no job yet."""
    await alarms.set(1)

    async def switch_off() -> None:
        await alarms.remove(1)
        await sync.owners("alarm", [1])

    timers.meanwhile.append(switch_off)
    await sync.owners("alarm", [1])
    assert await redis.ids(INCOMPLETE) == []


async def test_however_two_processes_change_the_same_timers_each_has_its_job_and_there_is_no_other(
    sync: TimerSync, timers: WatchedTimers, database: Database, alarms: Alarms, redis: RedisView
) -> None:
    ids = list(range(1, 6))

    async def change(seed: int) -> None:
        choice = random.Random(seed)
        for _ in range(25):
            number = choice.choice(ids)
            if choice.random() < 0.3:
                await alarms.remove(number)
            else:
                await alarms.set(number, after=choice.choice([HOUR, 2 * HOUR]))
            await sync.owners("alarm", [number])

    await asyncio.gather(change(1), change(2), change(3))
    kinds = [Alarm(database), HiddenAlarm(database)]
    wanted = {timer.key for timer in await timers.of_owners(kinds, ids)}
    assert set(await redis.ids(INCOMPLETE)) == wanted


async def test_cleaning_up_and_filling_up_go_over_all_kinds_and_leave_others_alone(
    make_scheduler: MakeScheduler, database: Database, alarms: Alarms, redis: RedisView
) -> None:
    note = Note()
    scheduler = make_scheduler(Alarm(database), HiddenAlarm(database), note)
    await scheduler.connect()
    await alarms.set(1, 2)
    await scheduler.enqueue(note, request("alarmed-1-1900000000000", 1_900_000_000))
    await scheduler.reconcile()
    assert len(await redis.ids(INCOMPLETE)) == 2 * 2 + 1
    await alarms.remove(1)
    assert await scheduler.cleanup_orphaned_jobs() == 2
    assert await jobs(redis) == ["alarm-2", "alarmed-1", "hidden-alarm-2"]


async def test_timers_of_all_kinds_are_listed_soonest_first_and_by_guild(
    timers: WatchedTimers, database: Database, alarms: Alarms
) -> None:
    kinds = [Alarm(database), HiddenAlarm(database)]
    await alarms.set(1, after=3 * HOUR)
    await alarms.set(2, 3, after=HOUR, guild_id=GUILD_ID + 1)
    assert await timers.count(kinds) == 6
    listed = await timers.soonest(kinds, 3, 1)
    assert [(timer.kind, timer.subject_id) for timer in listed] == [
        ("alarm", 3),
        ("hidden-alarm", 2),
        ("hidden-alarm", 3),
    ]
    page, total = await timers.of_guild(kinds, GUILD_ID, 10)
    assert [timer.kind for timer in page] == ["alarm", "hidden-alarm"]
    assert total == 2


async def test_installations_on_one_redis_do_not_meet(
    *,
    make_scheduler: MakeScheduler,
    database: Database,
    alarms: Alarms,
    redis: RedisView,
    monkeypatch: pytest.MonkeyPatch,
    ends_soon: None,
) -> None:
    """The same timers with the same keys; each removes as an orphan what only the other wants."""
    here, elsewhere = Alarm(database), Alarm(database)
    mine = make_scheduler(here)
    await mine.connect()
    await alarms.set(1)
    await mine.reconcile()
    monkeypatch.setattr(database, "_installation_id", "neighbour")
    theirs = make_scheduler(elsewhere)
    await theirs.initialize()
    await alarms.set(1, after=-HOUR)
    await theirs.reconcile()
    await eventually(lambda: elsewhere.rings == [[1]])
    await theirs.cleanup_orphaned_jobs()
    await theirs.shutdown()
    assert len(await redis.ids(INCOMPLETE)) == 1, "mine is still there"
    assert here.rings == []
    assert (await mine.counts()).delayed == 1
