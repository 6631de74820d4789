"""What is asked again and again, or by a person who waits, reads what it tells of and no more."""

from __future__ import annotations

import asyncio

import aiohttp

from tests.faults.fault_env import FaultEnv
from tests.found.server import free_port
from tests.found.sql import Sql

TICKETS = 20_000
SMALL = 2_000
FAR_S = 86_400.0
MOST_READ = 2_000
PASSWORD = "a long password for the dashboard"


async def test_an_idle_bot_reads_few_rows_however_many_requests_are_pending(
    fault_env: FaultEnv, sql: Sql
) -> None:
    strangers = list(range(5_000, 5_000 + TICKETS))
    await sql.add_timed(fault_env.discord.guild.id, strangers, FAR_S)
    await sql.tidy()
    await fault_env.start()
    assert await sql.rows_read_when_idle(MOST_READ) < MOST_READ


async def rows_read_in_all(fault_env: FaultEnv, sql: Sql) -> int:
    """By a bot, whose life ends here: a session that ends tells at once what it has read."""
    await fault_env.kill()
    await asyncio.sleep(0.5)
    return await sql.rows_read()


async def test_the_doctor_of_a_small_server_reads_nothing_of_a_large_one(
    fault_env: FaultEnv, sql: Sql
) -> None:
    """The small one's closes are the older ones."""
    large = fault_env.discord.add_guild("A large server")
    await sql.add_history(fault_env.discord.guild.id, SMALL)
    await sql.add_history(large.id, TICKETS)
    await sql.tidy()
    before = await sql.rows_read()
    await fault_env.start()
    reply = await fault_env.discord.slash(
        fault_env.discord.owner, fault_env.discord.general, "doctor"
    )
    assert "timed closes" in reply.text
    assert await rows_read_in_all(fault_env, sql) - before < MOST_READ


async def test_a_ticket_is_found_by_its_number_without_a_look_at_all(
    fault_env: FaultEnv, sql: Sql
) -> None:
    await sql.add_history(fault_env.discord.guild.id, TICKETS)
    # The figures of what is past are added up once, by whoever serves the dashboard.
    await sql.execute("insert into figures_progress (event_id) select max(id) from ticket_events")
    await sql.tidy()
    before = await sql.rows_read()
    port = free_port()
    await fault_env.start(DASHBOARD_PASSWORD=PASSWORD, DASHBOARD_PORT=str(port))
    headers = {"Authorization": aiohttp.encode_basic_auth("admin", PASSWORD)}
    url = f"http://127.0.0.1:{port}/search"
    async with (
        aiohttp.ClientSession(headers=headers) as operator,
        operator.get(url, params={"q": "100005"}) as answer,
    ):
        assert answer.status == 200
        assert "100005" in await answer.text()
    assert await rows_read_in_all(fault_env, sql) - before < MOST_READ
