"""Timers can be set as soon as anybody can ask for one, and not only once Discord is ready."""

from __future__ import annotations

import pytest

from tests.faults.fault_env import READY, FaultEnv
from tests.found.redis import Redis
from tests.found.sql import Sql

UNREADY = {"WIRE_DISCORD_READY_SECONDS": "5"}
"""discord.py waits so long for more servers: a bot in many waits longer."""


@pytest.mark.parametrize("without_redis", ["immediate", "keep"])
async def test_a_request_between_login_and_ready_gets_its_timer(
    fault_env: FaultEnv, without_redis: str, sql: Sql, redis: Redis
) -> None:
    discord = fault_env.discord
    await fault_env.start()
    ticket = await fault_env.open()
    await fault_env.kill()
    bot = await fault_env.begin_start(AUTO_CLOSE_WITHOUT_REDIS=without_redis, **UNREADY)
    reply = await discord.slash(discord.staff, ticket, "closerequest", close_delay="1h")
    assert READY not in bot.log, "it was ready too soon for this test"
    assert "Redis" not in reply.text
    assert await redis.has_timer(await sql.latest_request(ticket.id))
    await bot.logged(READY)
    assert await sql.ticket_status(ticket.id) == "open"
    assert await sql.request_status(ticket.id) == "pending"
