"""A PostgreSQL that takes no writes for a while, as in a failover, is away, and comes back."""

from __future__ import annotations

import asyncio

from tests.faults.fault_env import FaultEnv
from tests.found.server import write_slow_files
from tests.found.sql import Sql
from tests.waiting import eventually

AWAY_S = 4.0
TWO_HEARTBEATS_S = 6.0


async def test_a_deadline_that_comes_while_postgresql_takes_no_writes_is_kept_soon_after(
    fault_env: FaultEnv, sql: Sql
) -> None:
    bot = await fault_env.start()
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "2s")
    lines = len(bot.lines)
    async with sql.read_only():
        await asyncio.sleep(AWAY_S)
        assert not ticket.deleted
    await fault_env.discord.wait_deleted(ticket, within=15)
    assert await sql.attention() == 0
    assert "Traceback" not in bot.log
    assert len(bot.lines) - lines < 40
    assert bot.log.count("🤖 Processing auto-close") == 1


async def test_that_postgresql_takes_no_writes_is_said_once_by_an_idle_bot(
    fault_env: FaultEnv, sql: Sql
) -> None:
    bot = await fault_env.start()
    await asyncio.sleep(1)  # until all that a start does is done
    lines = len(bot.lines)
    async with sql.read_only():
        await asyncio.sleep(TWO_HEARTBEATS_S)
    await bot.logged("PostgreSQL is back")
    said = "\n".join(bot.lines[lines:])
    assert "Traceback" not in said
    assert said.count("PostgreSQL not available") == 1
    assert said.count("PostgreSQL is back") == 1


async def test_that_postgresql_takes_no_writes_is_said_once_by_a_busy_bot_too(
    fault_env: FaultEnv, sql: Sql
) -> None:
    """A close is under way as it begins; an opener writes, and support wants something."""
    discord = fault_env.discord
    bot = await fault_env.start()
    closing, answered, asked = [await fault_env.open() for _ in range(3)]
    await write_slow_files(discord, closing, 1, AWAY_S / 3)
    await fault_env.ask(answered, "1h")
    await discord.slash(discord.staff, closing, "close")
    lines = len(bot.lines)
    async with sql.read_only():
        await asyncio.sleep(AWAY_S / 3)
        await discord.say(discord.customer, answered, "It is still broken")
        reply = await discord.slash(discord.staff, asked, "closerequest", close_delay="1h")
        assert "Try again" in reply.text
        await asyncio.sleep(AWAY_S)
    await discord.wait_deleted(closing, within=15)
    said = "\n".join(bot.lines[lines:])
    assert "Traceback" not in said
    assert said.count("PostgreSQL not available") == 1
    await fault_env.let_run_out(answered)

    async def is_read() -> bool:
        return await sql.request_status(answered.id) == "answered"

    await eventually(is_read)
    assert not answered.deleted
    assert await sql.attention() == 0
