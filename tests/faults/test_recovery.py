"""How fast all is well again, measured and printed; asserted only are generous bounds."""

from __future__ import annotations

import time

import pytest

from tests.faults.conftest import Measured
from tests.faults.fault_env import QUEUE, FaultEnv
from tests.faults.kills import KillAt
from tests.faults.properties import assert_kept
from tests.waiting import eventually
from tests.wire import Moment

PENDING = """
    with many as (
        insert into punctual.tickets (guild_id, number, channel_id, opener_id, subject)
        select $1, n, n, n, 'one of many' from generate_series(1, $2::int) n returning id)
    insert into punctual.close_requests (ticket_id, requested_by_id, auto_close_at, message_id)
    select id, 1, date_trunc('milliseconds', now() + interval '1 day' + id * interval '1 second'), 1
    from many
"""
OWN_COMMANDS = (b"FLUSHALL", b"CONFIG", b"SLOWLOG", b"SCRIPT", b"KEYS")


async def test_the_close_of_a_killed_bot_goes_on_within_15_s_of_the_restart(
    fault_env: FaultEnv, measured: Measured
) -> None:
    await fault_env.start()
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "1s")
    with KillAt(
        fault_env, Moment.BEFORE, method="GET", path=f"/channels/{ticket.id}/messages"
    ) as kill:
        await eventually(lambda: kill.struck is not None)
    await fault_env.bury()
    await fault_env.start()
    restarted = time.time()
    await fault_env.discord.wait_deleted(ticket, within=20)
    took = time.time() - restarted
    measured(f"the close of a killed bot went on {took:.1f} s after the restart")
    assert took < 15
    await assert_kept(fault_env)


async def test_a_deadline_that_comes_as_redis_returns_is_kept_within_a_second(
    fault_env: FaultEnv, measured: Measured
) -> None:
    bot = await fault_env.start()
    ticket = await fault_env.open()
    fault_env.valkey.kill()
    await bot.logged("Redis not available")
    await fault_env.ask(ticket, "2s")
    await fault_env.valkey.restart()
    await bot.logged("Redis is back")
    await fault_env.discord.wait_deleted(ticket)
    await assert_kept(fault_env)
    late_ms = await fault_env.value(
        "select late_ms from punctual.ticket_events where event = 'expired'"
    )
    assert isinstance(late_ms, int)
    measured(f"a deadline that came as Redis returned was kept {late_ms} ms after it")
    assert late_ms < 1_000


@pytest.mark.parametrize(
    "count", [5_000, pytest.param(100_000, marks=[pytest.mark.long, pytest.mark.timeout(300)])]
)
async def test_very_many_pending_requests_and_an_empty_redis_hold_up_no_start(
    fault_env: FaultEnv, measured: Measured, count: int
) -> None:
    await fault_env.execute(PENDING, fault_env.discord.guild.id, count)
    await fault_env.valkey.call("CONFIG", "SET", "slowlog-log-slower-than", 10_000)
    await fault_env.valkey.call("SLOWLOG", "RESET")
    began = time.monotonic()
    bot = await fault_env.begin_start()
    await bot.logged("✅ Scheduled task system initialized")
    ready = time.monotonic()
    assert ready - began < 10

    async def all_timers_are_back() -> bool:
        return await fault_env.valkey.call("ZCARD", f"{QUEUE}incomplete") == 2 * count

    await eventually(all_timers_are_back, 60)
    took = time.monotonic() - ready
    slow = await fault_env.valkey.call("SLOWLOG GET", 128)
    blocked = [entry for entry in slow if not entry["command"].startswith(OWN_COMMANDS)]
    longest = max((entry["duration"] / 1000 for entry in blocked), default=0)
    measured(
        f"{count} timers and as many reminders were back {took:.1f} s after the bot was ready, "
        f"which it was {ready - began:.1f} s after its start; Redis was blocked for "
        f"{f'{longest:.1f} ms' if longest else 'less than 10 ms'} at most"
    )
    assert longest < 100, "all at once would be 300 ms"
    form = await fault_env.discord.click(
        fault_env.discord.customer, await fault_env.panel(), "Open a ticket"
    )
    assert form.response is not None
    measured(f"a press was answered {form.response.seconds * 1000:.0f} ms after it, right then")
