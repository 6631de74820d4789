"""Two installations, each with its own database and Discord application, share one Redis."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.faults.fault_env import READY, FaultEnv
from tests.found.redis import Redis
from tests.found.sql import Sql
from tests.wire import Discord

PROCESSING = "🤖 Processing auto-close"


@pytest.fixture
async def other(fault_env: FaultEnv, sql: Sql, tmp_path: Path) -> AsyncGenerator[FaultEnv]:
    """Of its own, but for the two servers."""
    data = tmp_path / "other"
    data.mkdir()
    async with (
        sql.empty_database("other_installation") as database,
        Discord() as there,
    ):
        environment = fault_env.environment | {"DATABASE_URL": database.url, "DATA_DIR": str(data)}
        other = FaultEnv(there, environment, fault_env.postgres, fault_env.valkey)
        try:
            yield other
        finally:
            await other.end()


async def test_no_installation_removes_the_timers_of_another(
    fault_env: FaultEnv, other: FaultEnv, sql: Sql, redis: Redis
) -> None:
    await fault_env.start()
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "1h")
    timer = await sql.latest_request(ticket.id)
    assert await redis.has_timer(timer)
    newcomer = await other.start()
    assert await redis.has_timer(timer)
    assert f"{READY} 0 orphaned jobs" in newcomer.log


async def test_no_installation_takes_the_jobs_of_another(
    fault_env: FaultEnv, other: FaultEnv
) -> None:
    await fault_env.start()
    stranger = await other.start()
    tickets = [await fault_env.open() for _ in range(8)]
    for ticket in tickets:
        await fault_env.ask(ticket, "1s")
    for ticket in tickets:
        await fault_env.discord.wait_deleted(ticket, within=10)
    assert PROCESSING not in stranger.log
