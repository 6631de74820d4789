"""While Discord takes its time, nothing of PostgreSQL's is held, and nobody else waits."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.laboratory import Laboratory
from tests.found.gauge import Gauge
from tests.found.neighbours import Neighbour
from tests.found.sql2 import Sql
from tests.waiting import eventually
from tests.wire import Moment

SERVERS = 8
SLOWLY_S = 2.0


async def neighbours(lab: Laboratory, count: int) -> list[Neighbour]:
    return [await Neighbour.settle_in(lab.discord, f"Server {n}") for n in range(count)]


@pytest.mark.xfail(strict=True, reason="A15: four openings at once in all, each on a connection")
async def test_eight_servers_open_tickets_at_once_while_each_channel_takes_two_seconds(
    lab: Laboratory,
) -> None:
    await lab.start()
    servers = await neighbours(lab, SERVERS)
    forms = [await server.fill_in() for server in servers]
    channels = Gauge(lab.discord, "POST", "/guilds/*/channels", SLOWLY_S)
    for server, form in zip(servers, forms, strict=True):
        server.send(form)
    await eventually(lambda: all(server.ticket for server in servers), 20)
    assert channels.most == SERVERS


@pytest.mark.xfail(strict=True, reason="A15: four questions at once in all, each on a connection")
async def test_eight_servers_ask_at_once_while_each_message_takes_two_seconds(
    lab: Laboratory,
) -> None:
    await lab.start()
    servers = await neighbours(lab, SERVERS)
    tickets = [await server.open() for server in servers]
    messages = Gauge(lab.discord, "POST", "/channels/*/messages", SLOWLY_S)
    for server, ticket in zip(servers, tickets, strict=True):
        lab.discord.begin_slash(server.staff, ticket, "closerequest", close_delay="1h")
    for ticket in tickets:
        await lab.discord.wait_message(ticket, "May this ticket be closed?", within=20)
    assert messages.most == SERVERS


@pytest.mark.xfail(strict=True, reason="A15: the lock is a session's, and the session is held")
@pytest.mark.parametrize("doing", ["opening", "asking", "closing"])
async def test_no_lock_and_no_transaction_is_held_while_discord_takes_its_time(
    lab: Laboratory, sql: Sql, doing: str
) -> None:
    """Else a pooler in transaction mode could not stand between the two."""
    await lab.start()
    panel = await lab.panel()
    held: list[int] = []

    async def look(_: object) -> None:
        for _ in range(3):
            held.append(await sql.locks_held())
            await asyncio.sleep(0.1)

    if doing == "opening":
        lab.discord.on_request("POST", "/guilds/*/channels", look, moment=Moment.BEFORE)
        await lab.helpdesk.open_ticket(panel)
    else:
        ticket = await lab.open()
        if doing == "asking":
            path = f"/channels/{ticket.id}/messages"
            lab.discord.on_request("POST", path, look, moment=Moment.BEFORE)
            await lab.ask(ticket, "1h")
        else:
            lab.discord.on_request("DELETE", f"/channels/{ticket.id}", look, moment=Moment.BEFORE)
            lab.discord.begin_slash(lab.discord.staff, ticket, "close")
            await lab.discord.wait_deleted(ticket)
    assert len(held) == 3
    assert min(held) == 0
