"""Very many deadlines in one second: every one is decided once, none early, none is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from domains.database import Database
from domains.scheduled_task import ScheduledTask
from domains.scheduled_task.job_type import JobServices
from domains.scheduled_task.jobs import discover
from domains.ticket_lifecycle import TicketLifecycle
from domains.transcripts import TranscriptStore
from tests.fakes import FakeTicketChannels
from tests.faults.conftest import Measured
from tests.faults.fault_env import FaultEnv
from tests.faults.own_servers import OwnValkey
from tests.faults.properties import assert_kept
from tests.waiting import eventually

GUILD_ID = 1
STRANGERS = """
    with strangers as (
        insert into punctual.tickets (guild_id, number, channel_id, opener_id, subject)
        select $1, 1000 + n, 5000 + n, 7000 + n, 'a stranger' from generate_series(1, $2::int) n
        returning id)
    insert into punctual.close_requests (ticket_id, requested_by_id, auto_close_at, message_id)
    select id, 1, date_trunc('second', now() + interval '3 seconds'), 1 from strangers
"""
"""Tickets from another life of the database: their channels are not in this Discord."""


async def test_deadlines_of_channels_that_are_gone_do_not_hold_up_the_others(
    fault_env: FaultEnv,
) -> None:
    bot = await fault_env.start()
    tickets = [await fault_env.open() for _ in range(3)]
    for ticket in tickets:
        await fault_env.ask(ticket, "4s")
    await fault_env.execute(STRANGERS, fault_env.discord.guild.id, 40)

    async def all_closed() -> bool:
        return (
            await fault_env.value("select count(*) from punctual.tickets where status <> 'closed'")
            == 0
        )

    await eventually(all_closed, 30)
    await assert_kept(fault_env, lateness=False)
    assert "Traceback" not in bot.log


# --- the domain alone, with the real worker


class Desk:
    """Tickets in PostgreSQL and timers in Valkey; their channels are in memory."""

    def __init__(self, database: Database, url: str, folder: Path) -> None:
        self.database = database
        self.channels = FakeTicketChannels()
        self.scheduler = ScheduledTask(database, lambda: url)
        self.lifecycle = TicketLifecycle(
            database, self.channels, self.scheduler, TranscriptStore(folder)
        )
        self.scheduler.register(discover(JobServices(self.lifecycle)))


@pytest.fixture
async def desk(database: Database, valkey: OwnValkey, tmp_path: Path) -> AsyncGenerator[Desk]:
    desk = Desk(database, valkey.url, tmp_path / "transcripts")
    yield desk
    await desk.scheduler.shutdown()


@pytest.mark.parametrize(
    "count", [300, pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.timeout(900)])]
)
async def test_all_deadlines_of_one_second_are_kept_once_each(
    desk: Desk, measured: Measured, count: int
) -> None:
    await desk.scheduler.initialize()
    async with desk.database.connection() as connection:
        await connection.execute(STRANGERS, GUILD_ID, count)
    await desk.scheduler.reconcile()
    assert (await desk.scheduler.counts())["delayed"] == count

    async def all_closed() -> bool:
        async with desk.database.connection() as connection:
            return not await connection.fetchval(
                "select count(*) from punctual.tickets where status <> 'closed'"
            )

    await eventually(all_closed, 600)
    async with desk.database.connection() as connection:
        events = await connection.fetch(
            "select ticket_id, event, late_ms from punctual.ticket_events"
        )
    for event in ("expired", "closed"):
        times = Counter(row["ticket_id"] for row in events if row["event"] == event)
        assert len(times) == count
        assert set(times.values()) == {1}
    lateness = sorted(row["late_ms"] for row in events if row["event"] == "expired")
    assert lateness[0] >= 0
    measured(f"{count} deadlines in one second: the last was decided {lateness[-1]} ms after it")

    async def queue_is_empty() -> bool:
        counts = await desk.scheduler.counts()
        return counts.waiting + counts.delayed + counts.active + counts.failed == 0

    await eventually(queue_is_empty)
