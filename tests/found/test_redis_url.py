"""A REDIS_URL that cannot work ends the start in one line; nothing else leaves a bot half alive."""

from __future__ import annotations

import pytest

from tests.faults.fault_env import READY, FaultEnv
from tests.waiting import eventually

SECRETS = ("hunter", "secret")
WRONG = {
    "a slash in the password": "redis://:hunter/secret@localhost:6379",
    "a hash in the password": "redis://:hunter#secret@localhost:6379",
    "a question mark in the password": "redis://:hunter?secret@localhost:6379",
    "a port that is no number": "redis://:hunter@localhost:secret",
    "an option that is no number": "redis://:hunter@localhost:6379?socket_timeout=secret",
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


async def test_if_the_scheduler_cannot_start_tickets_close_or_the_process_ends(
    fault_env: FaultEnv,
) -> None:
    """Here redis-py fails with an error that is no error of Redis's, at its first command."""
    await fault_env.start()
    ticket = await fault_env.open()
    await fault_env.kill()
    url = fault_env.valkey.url
    option = f"{'&' if '?' in url else '?'}encoding=nonsense"
    bot = await fault_env.begin_start(REDIS_URL=url + option)
    await eventually(lambda: not bot.running or READY in bot.log or TRACEBACK in bot.log, 30)
    if bot.running:
        await fault_env.ask(ticket, "1s")
        await eventually(lambda: ticket.deleted or not bot.running, 10)
