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
    whole = [line for line in about if "exception" in line]
    assert 1 <= len(whole) <= 2  # the table may have gone between two statements of one place
    assert about[0] == whole[0]
    for line in about[2:]:
        assert line["message"].startswith(f"{FAILING} (UndefinedTableError: relation ")
        assert line["message"].endswith("; as before)")
