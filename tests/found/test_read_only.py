"""A PostgreSQL that takes no writes for a while, as in a failover, is away, and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tests.faults.fault_env import FaultEnv
from tests.found.sql import Sql


@asynccontextmanager
async def read_only(sql: Sql) -> AsyncGenerator[None]:
    await sql.execute("alter system set default_transaction_read_only = on")
    try:
        await sql.execute("select pg_reload_conf()")
        yield
    finally:
        await sql.execute("alter system reset default_transaction_read_only")
        await sql.execute("select pg_reload_conf()")


async def test_a_deadline_that_comes_while_postgresql_takes_no_writes_is_kept_soon_after(
    fault_env: FaultEnv, sql: Sql
) -> None:
    bot = await fault_env.start()
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "3s")
    lines = len(bot.lines)
    async with read_only(sql):
        await asyncio.sleep(7)
        assert not ticket.deleted
    await fault_env.discord.wait_deleted(ticket, within=15)
    assert await sql.attention() == 0
    assert "Traceback" not in bot.log
    assert len(bot.lines) - lines < 40


async def test_that_postgresql_takes_no_writes_is_said_once(fault_env: FaultEnv, sql: Sql) -> None:
    bot = await fault_env.start()
    await asyncio.sleep(1)  # until all that a start does is done
    lines = len(bot.lines)
    async with read_only(sql):
        await asyncio.sleep(6)
    said = "\n".join(bot.lines[lines:])
    assert "Traceback" not in said
    assert said.count("PostgreSQL not available") == 1
