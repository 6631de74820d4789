"""Timers can be set as soon as anybody can ask for one, and not only once Discord is ready."""

from __future__ import annotations

import pytest

from tests.faults.fault_env import READY, FaultEnv
from tests.found import redis, sql

UNREADY = {"WIRE_DISCORD_READY_SECONDS": "5"}
"""discord.py waits so long for more servers: a bot in many waits longer."""


@pytest.mark.parametrize("without_redis", ["immediate", "keep"])
@pytest.mark.xfail(strict=True, reason="A6: before on_ready Redis counts as away")
async def test_a_request_between_login_and_ready_gets_its_timer(
    fault_env: FaultEnv, without_redis: str
) -> None:
    discord = fault_env.discord
    await fault_env.start()
    ticket = await fault_env.open()
    await fault_env.kill()
    bot = await fault_env.begin_start(AUTO_CLOSE_WITHOUT_REDIS=without_redis, **UNREADY)
    reply = await discord.slash(discord.staff, ticket, "closerequest", close_delay="1h")
    assert READY not in bot.log, "it was ready too soon for this test"
    assert "Redis" not in reply.text
    assert await redis.has_job(fault_env, await redis.key_of_timer(fault_env, ticket))
    await bot.logged(READY)
    assert await sql.status(fault_env, ticket) == "open"
    assert (await sql.latest_request(fault_env, ticket)).status == "pending"
