"""What people write in channels that are no tickets costs PostgreSQL nothing."""

from __future__ import annotations

import pytest

from tests.faults.fault_env import FaultEnv
from tests.faults.proxy import PostgresProxy
from tests.found.sql import Sql
from tests.waiting import eventually
from tests.wire import Channel, Member, channels
from tests.wire.json_types import JsonObject

MESSAGES = 300
LOOKUP = "t.channel_id ="


async def chatter(fault_env: FaultEnv, channel: Channel, author: Member) -> None:
    for number in range(MESSAGES):
        await fault_env.discord.say(author, channel, f"chatter {number}")


async def lookups(fault_env: FaultEnv, sql: Sql, proxy: PostgresProxy, ticket: Channel) -> int:
    """How often a ticket was looked for until its opener's answer, which comes now, was noted: all
    that was written before it was, too."""
    await fault_env.discord.say(fault_env.discord.customer, ticket, "It is still broken")

    async def answered() -> bool:
        return await sql.request_status(ticket.id) == "answered"

    await eventually(answered)
    return sum(LOOKUP in statement for statement in proxy.statements)


@pytest.mark.parametrize("since", ["it runs", "a restart"])
async def test_messages_in_other_channels_are_not_looked_up_in_the_database(
    fault_env: FaultEnv, proxy: PostgresProxy, sql: Sql, since: str
) -> None:
    discord = fault_env.discord
    await fault_env.start()
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "1h")
    if since == "a restart":
        await fault_env.kill()
        await fault_env.begin_start(WIRE_DISCORD_READY_SECONDS="3")
        await discord.until(lambda: discord.gateway.connected, "a bot to connect")
    proxy.statements.clear()
    await chatter(fault_env, discord.general, discord.customer)
    await chatter(fault_env, ticket, discord.staff)
    assert await lookups(fault_env, sql, proxy, ticket) < 5


async def test_a_ticket_that_another_process_has_opened_is_looked_up_once(
    fault_env: FaultEnv, proxy: PostgresProxy, sql: Sql
) -> None:
    """Here it is the test that makes its row and its channel, which carries our mark."""
    discord = fault_env.discord
    await fault_env.start()
    mark = await sql.value("select 'Ref ' || id || '-' from installation")
    body: JsonObject = {"name": "ticket-1001", "type": 0, "topic": f"It is broken · {mark}00000000"}
    ticket = channels.create(discord.world, discord.guild, body)
    await sql.add_timed(discord.guild.id, [ticket.id], 3600)
    await sql.execute("update tickets set opener_id = $1", discord.customer.id)
    proxy.statements.clear()
    await chatter(fault_env, ticket, discord.staff)
    assert await lookups(fault_env, sql, proxy, ticket) < 5
