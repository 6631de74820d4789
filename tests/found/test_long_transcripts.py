"""The decision that a ticket's time is up is not late because others' closes take long, and none
fails because its transcript is large."""

from __future__ import annotations

from domains.effects.runner import MAX_CONCURRENT_A_GUILD
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


async def test_a_channel_is_read_before_its_deadline_though_all_slots_of_its_server_are_taken(
    fault_env: FaultEnv, sql: Sql
) -> None:
    """After a restart it has to be read what was written meanwhile."""
    discord = fault_env.discord
    await fault_env.start()
    *slow, timed = [await fault_env.open() for _ in range(MAX_CONCURRENT_A_GUILD + 2)]
    for ticket in slow:
        await write_slow_files(discord, ticket, 1, SLOW_S)
    await fault_env.ask(timed, "1h")
    await fault_env.restart()
    for ticket in slow:
        discord.begin_slash(discord.staff, ticket, "close")

    async def all_slots_are_taken() -> bool:
        taken = "select count(*) from effects where lease_until > now()"
        return await sql.number(taken) >= MAX_CONCURRENT_A_GUILD

    await eventually(all_slots_are_taken)
    await fault_env.let_run_out(timed)

    async def decided() -> bool:
        return await sql.request_status(timed.id) == "expired"

    await eventually(decided, SLOW_S / 2)
    assert not any(ticket.deleted for ticket in slow)


async def test_a_transcript_that_discord_finds_too_large_is_said_to_lie_elsewhere(
    fault_env: FaultEnv,
) -> None:
    discord = fault_env.discord
    await fault_env.start()
    ticket = await fault_env.open()
    path = f"/channels/{fault_env.helpdesk.log_channel.id}/messages"
    discord.faults.add("POST", path, status=413, code=40005)
    discord.begin_slash(discord.staff, ticket, "close")
    await discord.wait_deleted(ticket)
    (post,) = fault_env.helpdesk.closes_logged()
    assert post.attachments == []
    assert "too large to be posted here; it lies in `transcripts/" in post.text
