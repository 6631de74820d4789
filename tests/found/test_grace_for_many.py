"""The grace after an outage is granted to all tickets at once, not to one after the other."""

from __future__ import annotations

import asyncio

from tests.faults.fault_env import FaultEnv
from tests.faults.proxy import PostgresProxy
from tests.found.redis import Redis
from tests.found.sql import Sql
from tests.waiting import eventually

TICKETS = 400
OUTAGE_S = 3600.0


async def test_the_grace_of_400_tickets_takes_few_statements_and_few_calls_of_redis(
    fault_env: FaultEnv, sql: Sql, proxy: PostgresProxy, redis: Redis
) -> None:
    """One for each would be far too many; the ordinary pulse, and the first announcements, are
    some dozens.

    The deadlines come between two pulses, and the second is the first after an hour.
    """
    channels = [fault_env.discord.add_channel(f"ticket-{number}") for number in range(TICKETS)]
    await fault_env.start()
    pulse = await sql.last_heartbeat()

    async def just_beaten() -> bool:
        return await sql.last_heartbeat() != pulse

    await eventually(just_beaten)
    await sql.add_timed(fault_env.discord.guild.id, [channel.id for channel in channels], 1.2)
    await sql.silent_for(OUTAGE_S)
    statements, calls = len(proxy.statements), await redis.reads()

    async def all_have_a_grace() -> bool:
        left = await sql.number(
            """select count(*) from close_requests
               where status = 'pending' and auto_close_at <= now() + interval '1 minute'"""
        )
        return left == 0

    async def all_are_announced() -> bool:
        return await sql.number("select count(*) from effects") == 0

    await eventually(all_have_a_grace)
    statements = len(proxy.statements) - statements
    await eventually(all_are_announced, 30)
    await asyncio.sleep(1)  # their timers follow
    calls = await redis.reads() - calls
    assert await redis.length(":incomplete") == TICKETS
    assert statements < TICKETS
    assert calls < TICKETS
