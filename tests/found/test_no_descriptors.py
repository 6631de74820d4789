"""A process that may open nothing more is no failure of the ticket's."""

from __future__ import annotations

import asyncio

from tests.faults.descriptors import no_new_descriptors
from tests.faults.fault_env import FaultEnv
from tests.found.sql import Sql


async def test_a_ticket_whose_time_is_up_while_descriptors_are_short_closes_soon_after(
    fault_env: FaultEnv, sql: Sql
) -> None:
    bot = await fault_env.start()
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "2s")
    with no_new_descriptors(bot.pid):
        await asyncio.sleep(4)
        assert not ticket.deleted
    await fault_env.discord.wait_deleted(ticket, within=15)
    assert await sql.attention() == 0
