"""Small things of the scheduler: at its shutdown, in what it counts, in what it leaves in Redis."""

from __future__ import annotations

import asyncio
from collections import Counter

from domains.database import Database
from domains.scheduled_task import ScheduledTask
from domains.telemetry import NoTelemetry
from tests.faults.fault_env import FaultEnv
from tests.faults.own_servers import OwnValkey
from tests.found.redis import Redis
from tests.scheduled_task.job_types import Note, request
from tests.waiting import eventually

# --- a shutdown


async def test_scheduling_in_the_middle_of_a_shutdown_schedules_nothing_and_raises_nothing(
    database: Database, valkey: OwnValkey
) -> None:
    """Redis answers neither yes nor no before the scheduler is gone."""
    scheduler = ScheduledTask(database, lambda: valkey.url)
    note = Note()
    scheduler.register([note])
    assert await scheduler.connect()
    valkey.freeze()
    try:
        scheduling = asyncio.create_task(scheduler.enqueue(note, request("note-1")))
        await asyncio.sleep(0.1)
        await scheduler.shutdown()
        assert await scheduling is None
    finally:
        valkey.thaw()


# --- what is counted


class Counting(NoTelemetry):
    def __init__(self) -> None:
        self.ended = Counter[str]()

    def job_ended(self, name: str, outcome: str) -> None:
        self.ended[outcome] += 1


async def fail_with_a_word(_: str) -> None:
    raise RuntimeError("somebody's channel is called NotDueError")


async def test_a_retry_is_counted_whatever_words_are_in_the_error(
    database: Database, valkey: OwnValkey
) -> None:
    telemetry, note = Counting(), Note(fail_with_a_word)
    scheduler = ScheduledTask(database, lambda: valkey.url, telemetry=telemetry)
    scheduler.register([note])
    await scheduler.initialize()
    try:
        await scheduler.enqueue(note, request("note-1"))
        await eventually(lambda: note.runs["note-1"] == 1)

        async def waits_for_its_retry() -> bool:
            return (await scheduler.counts()).delayed == 1

        await eventually(waits_for_its_retry)
    finally:
        await scheduler.shutdown()
    assert telemetry.ended["retried"] == 1


# --- the index of subjects

_STRAY_SUBJECTS = """
local stray = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    if not redis.call('ZSCORE', KEYS[2], id) then stray[#stray + 1] = id end
end
return stray
"""


async def test_a_job_whose_record_is_lost_leaves_no_trace_in_the_index_of_subjects(
    fault_env: FaultEnv, redis: Redis
) -> None:
    """As under a maxmemory-policy that evicts: it is said to be queued, and neither its record nor
    the list is there. Were its ticket gone too by the time it is given up, nobody would ask for it
    anew, and the trace would stay for ever."""
    await fault_env.start()
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "2s")
    incomplete, subjects = await redis.key(":incomplete"), await redis.key(":subjects")
    [job] = await redis.call("ZRANGE", incomplete, 0, -1)
    await redis.call("ZADD", incomplete, 0, job)
    await redis.call("DEL", job)
    stray: list[bytes] = []

    async def over() -> bool:
        stray.extend(await redis.call("EVAL", _STRAY_SUBJECTS, 2, subjects, incomplete))
        return ticket.deleted

    await eventually(over, 15)
    assert stray == []
