"""A REDIS_URL that cannot work ends the start in one line; nothing else leaves a bot half alive."""

from __future__ import annotations

import asyncio
from contextlib import closing

import pytest

from tests.faults.fault_env import FaultEnv
from tests.waiting import eventually

SECRETS = ("hunter", "secret")
WRONG = {
    "a slash in the password": "redis://:hunter/secret@localhost:6379",
    "a hash in the password": "redis://:hunter#secret@localhost:6379",
    "a question mark in the password": "redis://:hunter?secret@localhost:6379",
    "a port that is no number": "redis://:hunter@localhost:secret",
    "an option that is no number": "redis://:hunter@localhost:6379?socket_timeout=secret",
    "an option that redis-py breaks over": "redis://:hunter@localhost:6379?encoding=secret",
    "a protocol there is not": "redis://:hunter@localhost:6379?protocol=9",
}
TRACEBACK = "Traceback (most recent call last)"


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_redis_url_that_cannot_be_understood_ends_the_start_in_one_line(
    fault_env: FaultEnv, wrong: str
) -> None:
    bot = await fault_env.begin_start(REDIS_URL=WRONG[wrong])
    await eventually(lambda: not bot.running or TRACEBACK in bot.log, 30)
    assert not any(secret in bot.log for secret in SECRETS), bot.log
    assert not bot.running, bot.log
    assert await bot.ended() == 2
    [line] = bot.lines
    assert "REDIS_URL" in line


async def test_if_redis_fails_in_a_way_that_nobody_thought_of_tickets_close_all_the_same(
    fault_env: FaultEnv,
) -> None:
    """Here something else answers at its address, and redis-py raises an error that is none of
    Redis's."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            while await reader.read(1024):
                writer.write(b":no-number\r\n")

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        bot = await fault_env.start(REDIS_URL=f"redis://127.0.0.1:{port}")
        ticket = await fault_env.open()
        await fault_env.ask(ticket, "1s")
        await fault_env.discord.wait_deleted(ticket)
        await bot.logged("invalid literal for int()")
        await bot.kill()
