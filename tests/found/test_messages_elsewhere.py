"""What people write in channels that are no tickets costs PostgreSQL nothing."""

from __future__ import annotations

import asyncio

from tests.faults.fault_env import FaultEnv
from tests.faults.proxy import PostgresProxy
from tests.found.sql import Sql
from tests.waiting import eventually

MESSAGES = 300


async def test_messages_in_other_channels_are_not_looked_up_in_the_database(
    fault_env: FaultEnv, proxy: PostgresProxy, sql: Sql
) -> None:
    await fault_env.start()
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "1h")
    before = len(proxy.statements)
    for number in range(MESSAGES):
        await fault_env.discord.say(
            fault_env.discord.customer, fault_env.discord.general, f"chatter {number}"
        )
    # What is written in a ticket comes after all that: it must be known, and then they are, too.
    await fault_env.discord.say(fault_env.discord.customer, ticket, "It is still broken")

    async def answered() -> bool:
        return await sql.request_status(ticket.id) == "answered"

    await eventually(answered)
    await asyncio.sleep(1)
    assert len(proxy.statements) - before < MESSAGES / 2
