"""What no bot of ours has put into Redis, or an older one has: nothing of it stops the queue."""

from __future__ import annotations

import json

import pytest

from tests.faults.fault_env import QUEUE, FaultEnv
from tests.faults.processes import busy
from tests.faults.properties import RECORDS, assert_kept
from tests.scheduled_task.redis_view import QUEUE as QUEUE_NAME
from tests.waiting import eventually

RECORD: dict[str, bytes] = {
    "no text": b"\xff\xfe\x00",
    "no object": b"[1, 2]",
    "null": b"null",
    "half": b'{"function": "auto-close", "kwargs": {"tick',
    "no function": b'{"key": "no function"}',
    "a stranger's": b'{"function": "nobody", "key": "a stranger\'s", "kwargs": {}, "queue": "x"}',
    "unknown": b'{"function": "unknown", "key": "unknown", "kwargs": {}, "queue":'
    b' "%s", "status": "queued"}' % QUEUE_NAME.encode(),
    "no ticket": b'{"function": "auto-close", "key": "no ticket", "kwargs": {}, "queue":'
    b' "%s", "status": "queued", "retries": 1}' % QUEUE_NAME.encode(),
}


async def poison(fault_env: FaultEnv) -> None:
    """Each kind waits in the queue, before anything else."""
    call = fault_env.valkey.call
    for name, record in RECORD.items():
        await call("SET", f"{RECORDS}{name}", record)
    await call("RPUSH", f"{RECORDS}a list", 1)
    jobs = [f"{RECORDS}{name}" for name in (*RECORD, "a list", "nothing")]
    for job_id in (*jobs, "garbage"):
        await call("ZADD", f"{QUEUE}incomplete", 0, job_id)
        await call("RPUSH", f"{QUEUE}queued", job_id)


async def test_poison_in_the_queue_is_quarantined_and_stops_nothing(fault_env: FaultEnv) -> None:
    bot = await fault_env.start()
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "2s")
    await poison(fault_env)
    await fault_env.discord.wait_deleted(ticket)

    async def queue_is_clean() -> bool:
        return await fault_env.valkey.call("ZCARD", f"{QUEUE}incomplete") == 0

    await eventually(queue_is_clean, 30)
    await bot.logged("Unknown job type: unknown")
    lines = len(bot.lines)
    assert await busy(bot.pid, 1) < 0.2
    assert len(bot.lines) == lines
    await fault_env.valkey.call("DEL", "garbage:unreadable")
    await assert_kept(fault_env)


@pytest.mark.parametrize(
    "payload",
    [{"ticket_id": None}, {"ticket_id": None, "close_request_id": None, "shard": 3, "v": {}}],
    ids=["of an older version", "of a newer version"],
)
async def test_a_job_of_another_version_closes_its_ticket(
    fault_env: FaultEnv, payload: dict[str, object]
) -> None:
    """`None` stands for what the job was given."""
    await fault_env.start()
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "1h")
    job_id = f"{RECORDS}{await fault_env.timer_of(ticket)}"
    record = json.loads(await fault_env.valkey.call("GET", job_id))
    given = record["kwargs"]
    record["kwargs"] = {
        name: given[name] if value is None else value for name, value in payload.items()
    }
    await fault_env.valkey.call("SET", job_id, json.dumps(record))
    await fault_env.let_run_out(ticket)
    await fault_env.valkey.call("ZADD", f"{QUEUE}incomplete", "XX", 1, job_id)
    await fault_env.discord.wait_deleted(ticket)
    assert "overdue jobs were missing" not in fault_env.bot.log
    await assert_kept(fault_env)


@pytest.mark.long
@pytest.mark.parametrize("name", ["incomplete", "queued", "active", "subjects", "stats"])
async def test_a_key_of_the_wrong_type_does_not_keep_a_ticket_open(
    fault_env: FaultEnv, name: str
) -> None:
    bot = await fault_env.start()
    ticket, asked_after = await fault_env.open(), await fault_env.open()
    await fault_env.ask(ticket, "2s")
    await fault_env.valkey.call("DEL", f"{QUEUE}{name}")
    await fault_env.valkey.call("SET", f"{QUEUE}{name}", "what is this?")
    await fault_env.ask(asked_after, "1s")
    await fault_env.discord.wait_deleted(ticket, within=15)
    await fault_env.discord.wait_deleted(asked_after, within=15)
    lines = len(bot.lines)
    assert await busy(bot.pid, 5) < 0.2
    assert len(bot.lines) - lines < 200
    await fault_env.valkey.call("FLUSHALL")
    await assert_kept(fault_env, redis=False)


async def test_a_job_that_nobody_has_any_more_does_not_keep_its_ticket_open(
    fault_env: FaultEnv,
) -> None:
    """As under a maxmemory-policy that evicts: the index still says that it is queued."""
    await fault_env.start()
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "1h")
    await fault_env.let_run_out(ticket)
    job_id = f"{RECORDS}{await fault_env.timer_of(ticket)}"
    await fault_env.valkey.call("ZADD", f"{QUEUE}incomplete", 0, job_id)
    await fault_env.valkey.call("DEL", f"{QUEUE}queued", f"{QUEUE}active")
    await fault_env.discord.wait_deleted(ticket)
    await assert_kept(fault_env)
