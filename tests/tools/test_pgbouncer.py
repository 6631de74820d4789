"""Behind a PgBouncer that pools transactions, consecutive statements meet different servers."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.fault_env import FaultEnv
from tests.faults.properties import assert_kept
from tests.tools.pgbouncer import pgbouncer

pytestmark = pytest.mark.tools

ERRORS = ("Traceback", "❌", "Unexpected error", "prepared statement")


async def test_behind_a_pgbouncer_that_pools_transactions_everything_works(
    fault_env: FaultEnv,
) -> None:
    discord = fault_env.discord
    async with pgbouncer(
        fault_env.environment["DATABASE_URL"], fault_env.postgres.socket, pool_size=3
    ) as url:
        fault_env.environment |= {"DATABASE_URL": url, "DATABASE_STATEMENT_CACHE": "0"}
        bot = await fault_env.start()
        tickets = [await fault_env.open() for _ in range(6)]
        for ticket in tickets[:4]:
            await fault_env.ask(ticket, "2s")
        request = await fault_env.ask(tickets[4], "1h")
        await discord.click(discord.customer, request, "Deny & Keep Open")
        request = await fault_env.ask(tickets[5], "1h")
        await discord.click(discord.customer, request, "Accept & Close")
        await asyncio.gather(*(fault_env.closed(ticket) for ticket in (*tickets[:4], tickets[5])))
        await assert_kept(fault_env)
        assert not any(word in bot.log for word in ERRORS), bot.log
        assert await bot.terminate() == 0
