"""The demo doesn't freeze: one thing after another, and none takes a second on a quiet machine."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

import pytest

from tests.demo.visitor import Visitor

log = logging.getLogger(__name__)

MOST_S = 1.0
BETWEEN_S = 0.5


async def one_round(visitor: Visitor, answer: str) -> None:
    await visitor.step("open")
    await asyncio.sleep(BETWEEN_S)
    await visitor.act("write", text="Hello?")
    await asyncio.sleep(BETWEEN_S)
    await visitor.step("ask", delay="5m")
    await visitor.until_shown("ticket:close_request:deny")
    await visitor.look("robin")
    await visitor.look("casey", "dm")
    await asyncio.sleep(BETWEEN_S)
    await visitor.step(answer)
    if answer != "accept":
        await asyncio.sleep(BETWEEN_S)
        await visitor.look("sam")
        assert "error" not in await visitor.run("close", reason="Enough")
    await asyncio.sleep(BETWEEN_S)


async def soak(visitor: Visitor, duration_s: float) -> Sequence[tuple[float, str]]:
    """The slowest actions."""
    began, rounds = time.monotonic(), 0
    answers = ("deny", "write", "accept", "extend")
    while True:
        await one_round(visitor, answers[rounds % len(answers)])
        rounds += 1
        if time.monotonic() - began > duration_s:
            break
    slowest = sorted(visitor.took_s, reverse=True)
    log.info("%s rounds, %s actions; the slowest: %s", rounds, len(slowest), slowest[:5])
    return slowest[:5]


async def test_one_round_goes_through(visitor: Visitor) -> None:
    await soak(visitor, 0)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_no_action_takes_a_second_in_seven_minutes(visitor: Visitor) -> None:
    slowest = await soak(visitor, 7 * 60)
    assert slowest[0][0] < MOST_S, slowest
