"""Very many deadlines in one second are all decided in time; the closes may follow."""

from __future__ import annotations

from tests.faults.fault_env import FaultEnv
from tests.found.sql import Sql
from tests.waiting import eventually

TICKETS = 2_000
DUE_IN_S = 3.0
LATEST_S = 5.0


async def test_two_thousand_deadlines_of_one_second_are_decided_within_five(
    fault_env: FaultEnv, sql: Sql
) -> None:
    """The tickets' channels are gone, so that no time is spent on making them. Three times as long
    is waited for the last, on a machine that has other things to do, too."""
    await fault_env.start()
    strangers = list(range(5_000, 5_000 + TICKETS))
    await sql.add_timed(fault_env.discord.guild.id, strangers, DUE_IN_S)

    async def all_decided() -> bool:
        pending = "select count(*) from close_requests where status = 'pending'"
        return await sql.number(pending) == 0

    await eventually(all_decided, DUE_IN_S + 3 * LATEST_S)
    in_time = await sql.number(
        """select count(*) from close_requests
           where resolved_at - auto_close_at between interval '0' and $1 * interval '1 second'""",
        LATEST_S,
    )
    assert in_time == TICKETS


async def test_what_nobody_has_listened_to_is_read_and_then_decided(
    fault_env: FaultEnv, sql: Sql
) -> None:
    """The channels were deleted meanwhile, so there is nothing in them. What is being read is not
    taken along by each of the others; only its own job asks once more."""
    bot = await fault_env.start()
    await sql.add_timed(fault_env.discord.guild.id, list(range(5_000, 5_050)), 2.0, read=False)

    async def all_closed() -> bool:
        return await sql.number("select count(*) from tickets where status <> 'closed'") == 0

    await eventually(all_closed, 30)
    assert bot.log.count("Processing auto-close") <= 2 * 50
