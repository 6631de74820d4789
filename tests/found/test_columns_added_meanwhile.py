"""A newer version's migration disturbs nothing in a process that still runs."""

from __future__ import annotations

import asyncio

from domains.tasks import cancel
from tests.faults.fault_env import FaultEnv
from tests.found.server import begin_open, wait_opened
from tests.found.sql import Sql
from tests.wire import Channel

LATEST_S = 4.0
MEMBERS = 8


async def test_columns_that_are_added_under_load_make_nothing_fail_and_nothing_late(
    fault_env: FaultEnv, sql: Sql
) -> None:
    discord = fault_env.discord
    bot = await fault_env.start()
    panel = await fault_env.panel()
    due = [await fault_env.open() for _ in range(8)]
    await asyncio.gather(*(ask(fault_env, ticket) for ticket in due))
    newer = asyncio.create_task(sql.keep_adding_columns())
    try:
        for number in range(MEMBERS):
            member = discord.add_member(f"member{number}")
            await begin_open(discord, panel, member)
            await wait_opened(discord, member)
        for ticket in due:
            await discord.wait_deleted(ticket, within=15)
    finally:
        await cancel(newer)
    assert max([(await sql.latest_request(ticket.id)).late_s for ticket in due]) < LATEST_S
    assert not any(word in bot.log for word in ("❌", "Traceback", "InvalidCachedStatement"))


async def ask(fault_env: FaultEnv, ticket: Channel) -> None:
    await fault_env.discord.slash(fault_env.discord.staff, ticket, "closerequest", close_delay="3s")
