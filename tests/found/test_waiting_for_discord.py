"""While Discord takes its time, nothing of PostgreSQL's is held, and nobody else waits."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.fault_env import FaultEnv
from tests.found.gauge import Gauge
from tests.found.server import QUESTION, Server, begin_open, wait_opened
from tests.found.sql import Sql
from tests.wire import Moment

SERVERS = 8
SLOWLY_S = 2.0


async def settle_in(fault_env: FaultEnv) -> list[Server]:
    return [await Server.settle_in(fault_env.discord, f"Server {n}") for n in range(SERVERS)]


async def test_eight_servers_open_tickets_at_once_while_each_channel_takes_two_seconds(
    fault_env: FaultEnv,
) -> None:
    await fault_env.start()
    servers = await settle_in(fault_env)
    channels = Gauge(fault_env.discord, "POST", "/guilds/*/channels", SLOWLY_S)
    for server in servers:
        await begin_open(fault_env.discord, server.panel, server.member)
    for server in servers:
        await wait_opened(fault_env.discord, server.member, within=20)
    assert channels.most == SERVERS


async def test_eight_servers_ask_at_once_while_each_message_takes_two_seconds(
    fault_env: FaultEnv,
) -> None:
    await fault_env.start()
    servers = await settle_in(fault_env)
    tickets = [await server.open() for server in servers]
    messages = Gauge(fault_env.discord, "POST", "/channels/*/messages", SLOWLY_S)
    for server, ticket in zip(servers, tickets, strict=True):
        fault_env.discord.begin_slash(server.staff, ticket, "closerequest", close_delay="1h")
    for ticket in tickets:
        await fault_env.discord.wait_message(ticket, QUESTION, within=20)
    assert messages.most == SERVERS


@pytest.mark.parametrize("doing", ["opening", "asking", "closing"])
async def test_no_lock_and_no_transaction_is_held_while_discord_takes_its_time(
    fault_env: FaultEnv, sql: Sql, doing: str
) -> None:
    """Else a pooler in transaction mode could not stand between the two."""
    await fault_env.start()
    panel = await fault_env.panel()
    held: list[int] = []

    async def look(_: object) -> None:
        for _ in range(3):
            held.append(await sql.locks_held())
            await asyncio.sleep(0.1)

    if doing == "opening":
        fault_env.discord.on_request("POST", "/guilds/*/channels", look, moment=Moment.BEFORE)
        await fault_env.helpdesk.open_ticket(panel)
    else:
        ticket = await fault_env.open()
        if doing == "asking":
            path = f"/channels/{ticket.id}/messages"
            fault_env.discord.on_request("POST", path, look, moment=Moment.BEFORE)
            await fault_env.ask(ticket, "1h")
        else:
            fault_env.discord.on_request(
                "DELETE", f"/channels/{ticket.id}", look, moment=Moment.BEFORE
            )
            fault_env.discord.begin_slash(fault_env.discord.staff, ticket, "close")
            await fault_env.discord.wait_deleted(ticket)
    assert len(held) == 3
    assert min(held) == 0
