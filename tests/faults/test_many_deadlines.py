"""Very many deadlines in one second: every one is decided once, none early, none is lost; and
what takes long in one server holds up no other."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from domains.database import Database
from domains.effects.runner import MAX_CONCURRENT_A_GUILD
from domains.scheduled_task import ScheduledTask
from domains.ticket_lifecycle.models import Ticket
from domains.transcripts import TranscriptMessage
from tests.fakes import FakeChannel, FakeTicketChannels
from tests.faults.conftest import Measured
from tests.faults.fault_env import FaultEnv
from tests.faults.own_servers import OwnValkey
from tests.faults.properties import assert_kept
from tests.scheduled_task.tickets import Tickets
from tests.waiting import eventually

SLOW_GUILD, GUILD = 1, 2
STRANGERS = """
    with strangers as (
        insert into punctual.tickets (guild_id, number, channel_id, opener_id, subject)
        select $1::bigint, 1000 + n, $1 % 1000 * 100000 + n, 7000 + n, 'a stranger'
        from generate_series(1, $2::int) n returning id)
    insert into punctual.close_requests
        (ticket_id, requested_by_id, auto_close_at, message_id, read_at)
    select id, 1, date_trunc('second', now() + interval '3 seconds'), 1, clock_timestamp()
    from strangers
"""
"""Tickets from another life of the database, in which all that was said is known."""


async def test_deadlines_of_channels_that_are_gone_do_not_hold_up_the_others(
    fault_env: FaultEnv,
) -> None:
    bot = await fault_env.start()
    tickets = [await fault_env.open() for _ in range(3)]
    for ticket in tickets:
        await fault_env.ask(ticket, "4s")
    await fault_env.execute(STRANGERS, fault_env.discord.guild.id, 40)

    async def all_closed() -> bool:
        return not await fault_env.value(
            "select count(*) from punctual.tickets where status <> 'closed'"
        )

    await eventually(all_closed, 30)
    await assert_kept(fault_env, lateness=False)
    assert "Traceback" not in bot.log


# --- the domain alone, with the real worker and the real effects


class SlowChannels(FakeTicketChannels):
    """The history of one server's is read to its end only when `released`."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = 0
        self.released = asyncio.Event()

    async def history(self, ticket: Ticket) -> AsyncIterator[TranscriptMessage]:
        if ticket.guild_id == SLOW_GUILD:
            self.reading += 1
            await self.released.wait()
        async for message in super().history(ticket):
            yield message


class Crowd(Tickets):
    """Very many tickets, which are due in three seconds."""

    def __init__(self, database: Database, url: str, folder: Path) -> None:
        self.slow_channels = SlowChannels()
        super().__init__(database, folder, self.slow_channels)
        self.scheduler = self.close_with(ScheduledTask(database, lambda: url))

    async def gather(self, guild_id: int, count: int, *, channels: bool = True) -> None:
        await self.execute(STRANGERS, guild_id, count)
        found = await self.rows(
            "select id, channel_id from punctual.tickets where guild_id = $1", guild_id
        )
        for ticket_id, channel_id in found if channels else ():
            self.channels.channels[channel_id] = FakeChannel(channel_id, ticket_id)
        await self.scheduler.reconcile()

    async def are_closed(self, guild_id: int, count: int) -> bool:
        return count == await self.value(
            "select count(*) from punctual.tickets where status = 'closed' and guild_id = $1",
            guild_id,
        )

    async def lateness(self, event: str, guild_id: int) -> list[int]:
        """In milliseconds, of each ticket once."""
        found = await self.rows(
            """select ticket_id, late_ms from punctual.ticket_events
               where event = $1 and guild_id = $2""",
            event,
            guild_id,
        )
        assert set(Counter(ticket_id for ticket_id, _ in found).values()) == {1}
        lateness = sorted(late_ms for _, late_ms in found)
        assert lateness[0] >= 0
        return lateness


@pytest.fixture
async def crowd(database: Database, valkey: OwnValkey, tmp_path: Path) -> AsyncGenerator[Crowd]:
    crowd = Crowd(database, valkey.url, tmp_path / "transcripts")
    await crowd.scheduler.initialize()
    yield crowd
    crowd.slow_channels.released.set()
    await crowd.scheduler.shutdown()
    await crowd.effects.stop(timedelta(seconds=1))


@pytest.mark.parametrize(
    "count", [300, pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.timeout(900)])]
)
async def test_all_deadlines_of_one_second_are_kept_once_each(
    crowd: Crowd, measured: Measured, count: int
) -> None:
    await crowd.gather(GUILD, count, channels=False)
    assert (await crowd.scheduler.counts())["delayed"] == count
    await eventually(lambda: crowd.are_closed(GUILD, count), 600)
    decided, ended = [await crowd.lateness(event, GUILD) for event in ("expired", "closed")]
    assert len(decided) == len(ended) == count
    measured(
        f"{count} deadlines in one second: the last was decided {decided[-1]} ms after it, and "
        f"its ticket closed after {ended[-1]} ms"
    )

    async def queue_is_empty() -> bool:
        counts = await crowd.scheduler.counts()
        return counts.waiting + counts.delayed + counts.active + counts.failed == 0

    await eventually(queue_is_empty)


@pytest.mark.parametrize(
    ("slow", "count"), [(10, 20), pytest.param(50, 200, marks=pytest.mark.long)]
)
async def test_slow_transcripts_in_one_server_hold_up_no_other(
    crowd: Crowd, measured: Measured, slow: int, count: int
) -> None:
    await crowd.gather(SLOW_GUILD, slow)
    channels = crowd.slow_channels
    await eventually(lambda: channels.reading >= MAX_CONCURRENT_A_GUILD)
    await crowd.gather(GUILD, count)
    await eventually(lambda: crowd.are_closed(GUILD, count), 60)
    assert await crowd.are_closed(SLOW_GUILD, 0)
    assert len(channels.removed) == count
    for event, what in (("expired", "decided"), ("closed", "gone")):
        late_ms = await crowd.lateness(event, GUILD)
        p50, p99 = late_ms[count // 2], late_ms[count * 99 // 100]
        measured(
            f"{count} deadlines beside {slow} slow transcripts of another server: {what} after "
            f"p50 {p50} ms, p99 {p99} ms"
        )
        assert p99 < 30_000
    channels.released.set()
    await eventually(lambda: crowd.are_closed(SLOW_GUILD, slow), 60)
    assert set(Counter(channels.removed).values()) == {1}
    assert len(channels.removed) == slow + count
