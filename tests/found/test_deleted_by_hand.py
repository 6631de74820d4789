"""What nobody can be shown any more is not looked at again every few seconds, for ever."""

from __future__ import annotations

from tests.faults.fault_env import FaultEnv
from tests.found.sql import Sql
from tests.waiting import eventually

TICKETS = 5_000
MOST_READ = 500


async def test_tickets_whose_channel_was_deleted_by_hand_leave_nothing_to_be_looked_at(
    fault_env: FaultEnv, sql: Sql
) -> None:
    """By whatever way an idle bot looks for what is still to be done, it does not meet these."""
    await fault_env.start()
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "1h")
    fault_env.delete_by_hand(ticket)

    async def closed() -> bool:
        return await sql.ticket_status(ticket.id) == "closed"

    await eventually(closed)
    await fault_env.kill()
    await sql.multiply(await sql.ticket_id(ticket.id), TICKETS)
    # Were all others closed, PostgreSQL would begin with the open ones, and find none.
    await sql.add_open(fault_env.discord.guild.id, TICKETS)
    await sql.tidy()
    await fault_env.start()
    assert await sql.rows_read_when_idle(MOST_READ) < MOST_READ
