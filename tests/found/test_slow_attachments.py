"""One member's slow attachments keep nobody in another server waiting."""

from __future__ import annotations

from tests.faults.fault_env import FaultEnv
from tests.found.server import Server, write_slow_files
from tests.found.sql import Sql
from tests.waiting import eventually

SLOW_S, FILES, CLOSES = 4.0, 10, 5
SOON_S = 10.0


async def test_slow_attachments_in_one_server_hold_up_no_close_in_another(
    fault_env: FaultEnv,
) -> None:
    discord = fault_env.discord
    await fault_env.start()
    slow = [await fault_env.open() for _ in range(CLOSES)]
    for ticket in slow:
        await write_slow_files(discord, ticket, FILES, SLOW_S)
    server = await Server.settle_in(discord)
    closed, timed = await server.open(), await server.open()
    for ticket in slow:
        await discord.slash(discord.customer, ticket, "close")
    await discord.slash(server.staff, timed, "closerequest", close_delay="2s")
    discord.begin_slash(server.staff, closed, "close")
    await discord.wait_deleted(closed, within=SOON_S)
    await discord.wait_deleted(timed, within=SOON_S)
    assert not any(ticket.deleted for ticket in slow)


async def test_lateness_is_told_to_the_decision_and_to_the_end(
    fault_env: FaultEnv, sql: Sql
) -> None:
    """The end is when the channel is gone, after its slow transcript."""
    await fault_env.start()
    ticket = await fault_env.open()
    await write_slow_files(fault_env.discord, ticket, 1, SLOW_S)
    await fault_env.ask(ticket, "2s")
    await fault_env.discord.wait_deleted(ticket, within=SLOW_S + 10)

    async def closed() -> bool:
        return await sql.ticket_status(ticket.id) == "closed"

    await eventually(closed)
    decided, ended = [
        await sql.number("select late_ms from ticket_events where event = $1", event)
        for event in ("expired", "closed")
    ]
    assert 0 <= decided < ended
    assert ended >= SLOW_S * 1000
