"""A server that is not to be reached costs no attempt; one that the bot has left is over."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.faults.fault_env import FaultEnv
from tests.found.redis import Redis
from tests.found.server import free_port
from tests.found.sql import Sql
from tests.waiting import eventually

FAILED = "❌ Failed to auto-close"
SOON_S = 10.0


@pytest.mark.parametrize("since", ["while it runs", "from the start"])
async def test_an_unavailable_server_is_waited_for_and_its_tickets_close_when_it_is_back(
    fault_env: FaultEnv, since: str, sql: Sql
) -> None:
    discord = fault_env.discord
    await fault_env.start()
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "2s")
    if since == "while it runs":
        discord.lose_guild(discord.guild)
    else:
        await fault_env.kill()
        discord.lose_guild(discord.guild)
        await fault_env.start()
    await asyncio.sleep(3.5)
    assert await sql.attention() == 0
    discord.find_guild_again(discord.guild)
    await discord.wait_deleted(ticket, within=SOON_S)
    assert not any(FAILED in bot.log for bot in fault_env.bots)


@pytest.mark.parametrize("since", ["while it runs", "while it is down"])
async def test_when_the_bot_has_left_a_server_its_tickets_end_and_their_timers_go(
    fault_env: FaultEnv, since: str, sql: Sql, redis: Redis
) -> None:
    discord = fault_env.discord
    bot = await fault_env.start()
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "1h")
    timer = await sql.latest_request(ticket.id)
    if since == "while it runs":
        discord.remove_member(discord.bot)
    else:
        await fault_env.kill()
        discord.remove_member(discord.bot)
        bot = await fault_env.start()

    async def over() -> bool:
        return await sql.ticket_status(ticket.id) == "closed" and not await redis.has_timer(timer)

    await eventually(over, SOON_S)
    assert await sql.attention() == 0
    assert FAILED not in bot.log


async def test_a_server_that_is_left_in_trouble_asks_for_nobody_and_begins_anew_when_joined_again(
    fault_env: FaultEnv, sql: Sql
) -> None:
    discord, port = fault_env.discord, free_port()
    await fault_env.start(METRICS_PORT=str(port))
    stuck = await fault_env.open()
    discord.deny(stuck, "manage_channels")
    discord.begin_slash(discord.staff, stuck, "close")

    async def ask_for(people: int) -> None:
        async def is_shown() -> bool:
            url = f"http://127.0.0.1:{port}/metrics"
            async with aiohttp.request("GET", url) as answer:
                return f"punctual_attention_tickets {people}.0" in await answer.text()

        await eventually(is_shown, SOON_S)

    await ask_for(1)
    bot = discord.bot
    discord.remove_member(bot)
    await ask_for(0)
    discord.add_member_again(bot)
    reply = await discord.slash(discord.staff, stuck, "close")
    assert "closed" in reply.text
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "1s")
    await discord.wait_deleted(ticket)
    assert not stuck.deleted
    assert await sql.attention() == 0
