"""The decision that a ticket's time is up is not late because others' closes take long."""

from __future__ import annotations

from tests.faults.fault_env import FaultEnv
from tests.found.server import write_slow_files
from tests.found.sql import Sql
from tests.waiting import eventually

SLOW_S = 8.0
LATEST_S = 2.0


async def test_five_long_transcripts_make_no_decision_late(fault_env: FaultEnv, sql: Sql) -> None:
    await fault_env.start()
    *slow, sixth = [await fault_env.open() for _ in range(6)]
    for ticket in slow:
        await write_slow_files(fault_env.discord, ticket, 1, SLOW_S)
    for ticket in slow:
        await fault_env.ask(ticket, "2s")
    await fault_env.ask(sixth, "3s")

    async def decided() -> bool:
        return await sql.request_status(sixth.id) == "expired"

    await eventually(decided, SLOW_S + 15)
    late_s = [(await sql.latest_request(ticket.id)).late_s for ticket in (*slow, sixth)]
    assert max(late_s) < LATEST_S
