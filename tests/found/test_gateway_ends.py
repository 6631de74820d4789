"""Discord ends the gateway for good: an operator reads one line, and the exit status says more."""

from __future__ import annotations

import pytest

from tests.faults.fault_env import FaultEnv

TOKEN_RESET, SHARDING_REQUIRED = 4004, 4011


@pytest.mark.parametrize("code", [TOKEN_RESET, SHARDING_REQUIRED])
async def test_a_running_bot_that_discord_wants_no_more_ends_with_one_line_and_status_2(
    fault_env: FaultEnv, code: int
) -> None:
    bot = await fault_env.start()
    await fault_env.discord.end_gateway(code)
    status = await bot.ended(within=20)
    assert "Traceback" not in bot.log
    assert status == 2
    assert len([line for line in bot.lines if line.startswith("punctual: ")]) == 1
