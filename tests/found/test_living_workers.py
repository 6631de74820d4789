"""A worker that lives keeps its jobs, whatever the clock of another one's host says."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.faults.fault_env import FaultEnv
from tests.faults.test_clock_jumps import CLOCK
from tests.found.sql import Sql

AHEAD_S = 10.0


async def test_a_clock_that_is_ahead_robs_no_living_worker(
    fault_env: FaultEnv, tmp_path: Path, sql: Sql
) -> None:
    clock = tmp_path / "clock-offset"
    clock.write_text(str(AHEAD_S), encoding="ascii")
    punctual = await fault_env.start()
    ticket = await fault_env.open()
    processing = f"Processing auto-close for ticket {await sql.ticket_id(ticket.id)}"
    await fault_env.ask(ticket, "2s")
    async with sql.locked("close_requests", "exclusive"):
        await punctual.logged(processing)
        hasty = await fault_env.start(PYTHONPATH=str(CLOCK), CLOCK_OFFSET=str(clock))
        await asyncio.sleep(4)
        assert sum(bot.log.count(processing) for bot in fault_env.bots) == 1
    await fault_env.discord.wait_deleted(ticket)
    for bot in (punctual, hasty):
        assert "lost worker" not in bot.log
