"""How fast all is well again, measured and printed; asserted only are generous bounds."""

from __future__ import annotations

import time

import pytest

from tests.faults.conftest import Measured
from tests.faults.kills import KillAt
from tests.faults.laboratory import QUEUE, Laboratory
from tests.faults.properties import assert_kept
from tests.waiting import eventually
from tests.wire import Moment

PENDING = """
    with many as (
        insert into tickets (guild_id, number, channel_id, opener_id, subject)
        select $1, n, n, n, 'one of many' from generate_series(1, $2::int) n returning id)
    insert into close_requests (ticket_id, requested_by_id, auto_close_at, message_id)
    select id, 1, date_trunc('milliseconds', now() + interval '1 day' + id * interval '1 second'), 1
    from many
"""
OWN_COMMANDS = (b"FLUSHALL", b"CONFIG", b"SLOWLOG", b"SCRIPT", b"KEYS")


async def test_the_job_of_a_killed_bot_runs_again_within_15_s_of_the_restart(
    lab: Laboratory, measured: Measured
) -> None:
    await lab.start()
    ticket = await lab.open()
    await lab.ask(ticket, "1s")
    with KillAt(lab, Moment.BEFORE, method="GET", path=f"/channels/{ticket.id}/messages") as kill:
        await eventually(lambda: kill.struck is not None)
    await lab.bury()
    await lab.start()
    restarted = time.time()
    await lab.discord.wait_deleted(ticket, within=20)
    took = time.time() - restarted
    measured(f"the job of a killed bot ran again {took:.1f} s after the restart")
    assert took < 15
    await assert_kept(lab)


async def test_a_deadline_that_comes_as_redis_returns_is_kept_within_a_second(
    lab: Laboratory, measured: Measured
) -> None:
    bot = await lab.start()
    ticket = await lab.open()
    lab.valkey.kill()
    await bot.logged("Redis not available")
    await lab.ask(ticket, "2s")
    await lab.valkey.restart()
    await bot.logged("Redis is back")
    await lab.discord.wait_deleted(ticket)
    await assert_kept(lab)
    late_ms = await lab.value("select late_ms from ticket_events where event = 'expired'")
    assert isinstance(late_ms, int)
    measured(f"a deadline that came as Redis returned was kept {late_ms} ms after it")
    assert late_ms < 1_000


@pytest.mark.parametrize(
    "count", [5_000, pytest.param(100_000, marks=[pytest.mark.long, pytest.mark.timeout(300)])]
)
async def test_very_many_pending_requests_and_an_empty_redis_hold_up_no_start(
    lab: Laboratory, measured: Measured, count: int
) -> None:
    await lab.execute(PENDING, lab.discord.guild.id, count)
    await lab.valkey.call("CONFIG", "SET", "slowlog-log-slower-than", 10_000)
    await lab.valkey.call("SLOWLOG", "RESET")
    began = time.monotonic()
    bot = await lab.begin_start()
    await bot.logged("✅ Scheduled task system initialized")
    ready = time.monotonic()
    assert ready - began < 10

    async def all_timers_are_back() -> bool:
        return await lab.valkey.call("ZCARD", f"{QUEUE}incomplete") == count

    await eventually(all_timers_are_back, 60)
    took = time.monotonic() - ready
    slow = await lab.valkey.call("SLOWLOG GET", 128)
    blocked = [entry for entry in slow if not entry["command"].startswith(OWN_COMMANDS)]
    longest = max((entry["duration"] / 1000 for entry in blocked), default=0)
    measured(
        f"{count} timers were back {took:.1f} s after the bot was ready, which it was "
        f"{ready - began:.1f} s after its start; Redis was blocked for "
        f"{f'{longest:.1f} ms' if longest else 'less than 10 ms'} at most"
    )
    assert took < 10
    assert not blocked
    form = await lab.discord.click(lab.discord.customer, await lab.panel(), "Open a ticket")
    assert form.response is not None
    measured(f"a press was answered {form.response.seconds * 1000:.0f} ms after it, right then")
