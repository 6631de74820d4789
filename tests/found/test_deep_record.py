"""A record that is nested too deep to be read is set aside as any other that cannot be read."""

from __future__ import annotations

import pytest

from tests.faults.fault_env import FaultEnv
from tests.found.redis import Redis
from tests.waiting import eventually

DEPTH = 100_000
DEEP = b'{"function": "auto-close", "kwargs": ' + b"[" * DEPTH + b"]" * DEPTH + b"}"


@pytest.mark.parametrize("where", ["queued", "active"])
async def test_a_record_nested_a_hundred_thousand_deep_is_set_aside_and_stops_nothing(
    fault_env: FaultEnv, where: str, redis: Redis
) -> None:
    bot = await fault_env.start()
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "15m")
    incomplete = await redis.key(":incomplete")
    [job] = await redis.call("ZRANGE", incomplete, 0, -1)
    deep = job.decode().rpartition("auto-close-")[0] + "deep"
    await redis.call("SET", deep, DEEP)
    await redis.call("ZADD", incomplete, 0, deep)
    await redis.call("RPUSH", incomplete.removesuffix("incomplete") + where, deep)

    async def is_set_aside() -> bool:
        return (
            await redis.call("ZSCORE", incomplete, deep) is None
            and await redis.length(":active") == 0
            and await redis.length(":queued") == 0
        )

    await eventually(is_set_aside, 12)
    soon = await fault_env.open()
    await fault_env.ask(soon, "1s")
    await fault_env.discord.wait_deleted(soon)
    assert "Traceback" not in bot.log
