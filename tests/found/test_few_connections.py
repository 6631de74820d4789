"""A close takes what connections there are; how many closes run at once is the operator's word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.fault_env import FaultEnv
from tests.found.gauge import Gauge
from tests.found.sql import Sql
from tests.process.bot_process import ROOT
from tests.waiting import eventually

SMALL_POOL = f"{Path(__file__).with_name('small_pool')}:{ROOT}"


@pytest.mark.parametrize("how", ["by command", "by its timer"])
async def test_a_ticket_closes_however_few_connections_the_pool_has(
    fault_env: FaultEnv, how: str
) -> None:
    await fault_env.start(PYTHONPATH=SMALL_POOL, POOL="3")
    ticket = await fault_env.open()
    if how == "by command":
        fault_env.discord.begin_slash(fault_env.discord.staff, ticket, "close")
    else:
        await fault_env.ask(ticket, "1s")
    await fault_env.discord.wait_deleted(ticket, within=6)


async def test_more_than_five_tickets_close_at_once_where_the_operator_wants_it(
    fault_env: FaultEnv, sql: Sql
) -> None:
    """One in each of twelve servers, so that no server's fair share is in the way."""
    channels = [
        fault_env.discord.add_channel(
            "ticket-1001", guild=fault_env.discord.add_guild(f"Server {number}")
        )
        for number in range(12)
    ]
    await fault_env.start(WORKER_CONCURRENCY="12")
    removals = Gauge(fault_env.discord, "DELETE", "/channels/*", seconds=1.5)
    for channel in channels:
        assert channel.guild_id is not None
        await sql.add_timed(channel.guild_id, [channel.id], 1)
    await eventually(lambda: all(channel.deleted for channel in channels), 30)
    assert removals.most > 5
