"""Two installations, each with its own database and Discord application, share one Redis."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.faults.laboratory import READY, Laboratory
from tests.found import redis, sql
from tests.wire import Discord

PROCESSING = "🤖 Processing auto-close"


@pytest.fixture
async def other(lab: Laboratory, tmp_path: Path) -> AsyncGenerator[Laboratory]:
    """Of its own, but for the two servers."""
    data = tmp_path / "other"
    data.mkdir()
    async with sql.empty_database(sql.url_of(lab), "other_installation") as url, Discord() as there:
        environment = lab.environment | {"DATABASE_URL": url, "DATA_DIR": str(data)}
        laboratory = Laboratory(there, environment, lab.postgres, lab.valkey)
        try:
            yield laboratory
        finally:
            await laboratory.end()


@pytest.mark.xfail(strict=True, reason="A5: what the own database does not know is removed")
async def test_no_installation_removes_the_timers_of_another(
    lab: Laboratory, other: Laboratory
) -> None:
    await lab.start()
    ticket = await lab.open()
    await lab.ask(ticket, "1h")
    timer = await redis.key_of_timer(lab, ticket)
    assert await redis.has_job(lab, timer)
    newcomer = await other.start()
    assert await redis.has_job(lab, timer)
    assert f"{READY} 0 orphaned jobs" in newcomer.log


@pytest.mark.xfail(strict=True, reason="A5: the queue has one name for all installations")
async def test_no_installation_takes_the_jobs_of_another(
    lab: Laboratory, other: Laboratory
) -> None:
    await lab.start()
    stranger = await other.start()
    tickets = [await lab.open() for _ in range(8)]
    for ticket in tickets:
        await lab.ask(ticket, "1s")
    for ticket in tickets:
        await lab.discord.wait_deleted(ticket, within=10)
    assert PROCESSING not in stranger.log
