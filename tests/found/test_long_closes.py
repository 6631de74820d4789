"""Closes that take long hold up nothing else that is to be taken up again."""

from __future__ import annotations

from tests.faults.fault_env import FaultEnv
from tests.faults.kills import KillAt
from tests.found.server import (
    QUESTION,
    Server,
    begin_open,
    wait_opened,
    write_slow_files,
)
from tests.found.sql import Sql
from tests.waiting import eventually
from tests.wire import Moment

SLOW_S, FILES = 5.0, 10
SOON_S = 20.0
"""A killed bot's work is left to it for a while."""


async def test_a_welcome_that_failed_is_posted_though_closes_take_long(
    fault_env: FaultEnv, sql: Sql
) -> None:
    discord = fault_env.discord
    await fault_env.start()
    slow = [await fault_env.open() for _ in range(5)]
    for ticket in slow:
        await write_slow_files(discord, ticket, FILES, SLOW_S)
    server = await Server.settle_in(discord)
    for ticket in slow:
        await discord.slash(discord.customer, ticket, "close")
    discord.faults.add("POST", "/channels/*/messages", status=503)
    await begin_open(discord, server.panel, server.member)
    channel = await wait_opened(discord, server.member)

    async def waits_for_its_retry() -> bool:
        return await sql.number("select count(*) from effects where failures = 1") == 1

    await eventually(waits_for_its_retry)
    await sql.execute("update effects set due_at = now() where failures = 1")
    await discord.wait_message(channel, "It is broken", within=15)
    assert not any(ticket.deleted for ticket in slow)


async def test_a_question_that_a_kill_swallowed_is_asked_though_closes_take_long(
    fault_env: FaultEnv,
) -> None:
    discord = fault_env.discord
    await fault_env.start()
    slow = [await fault_env.open() for _ in range(5)]
    for ticket in slow:
        await write_slow_files(discord, ticket, FILES, SLOW_S)
    server = await Server.settle_in(discord)
    asked = await server.open()
    for ticket in slow:
        await discord.slash(discord.customer, ticket, "close")
    with KillAt(fault_env, Moment.BEFORE, method="POST", path=f"/channels/{asked.id}/messages"):
        discord.begin_slash(server.staff, asked, "closerequest", close_delay="1h")
        await fault_env.bury()
    await fault_env.start()
    await discord.wait_message(asked, QUESTION, within=SOON_S)
    assert not any(ticket.deleted for ticket in slow)
