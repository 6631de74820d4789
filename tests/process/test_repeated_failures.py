"""What fails again and again fills no log."""

from __future__ import annotations

import json
from collections.abc import Mapping

import asyncpg

from tests.process.bot_process import running_bot
from tests.wire import Discord

FAILING = "Taking effects failed; it is tried again"


async def test_a_failure_that_comes_again_is_one_traceback_and_then_one_line_each(
    discord: Discord, environment: Mapping[str, str]
) -> None:
    connection = await asyncpg.connect(environment["DATABASE_URL"])
    async with running_bot(discord, {**environment, "LOG_FORMAT": "json"}) as bot:
        await connection.execute("alter table punctual.effects rename to mislaid")
        await bot.logged(FAILING, count=4)
        await connection.execute("alter table punctual.mislaid rename to effects")
        await bot.terminate()
    await connection.close()
    about = [json.loads(line) for line in bot.lines if FAILING in line]
    [first, *others] = about
    assert first["exception"].startswith("Traceback")
    for line in others:
        assert "exception" not in line
        assert "UndefinedTableError: relation" in line["message"]
        assert line["message"].endswith("; as before)")
