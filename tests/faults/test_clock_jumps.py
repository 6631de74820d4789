"""The clock of the bot's host jumps by an hour, either way, while it runs or before it starts."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faults.fault_env import FaultEnv
from tests.faults.properties import assert_kept

HOUR_S = 3600.0
CLOCK = Path(__file__).with_name("clock")


class Host:
    """The bot's, whose clock the test sets. PostgreSQL and Discord are elsewhere."""

    def __init__(self, fault_env: FaultEnv, folder: Path) -> None:
        self._file = folder / "clock-offset"
        self.set(0)
        fault_env.environment |= {"PYTHONPATH": str(CLOCK), "CLOCK_OFFSET": str(self._file)}

    def set(self, offset_s: float) -> None:
        draft = self._file.with_suffix(".new")
        draft.write_text(str(offset_s), encoding="ascii")
        draft.replace(self._file)


@pytest.fixture
def host(fault_env: FaultEnv, tmp_path: Path) -> Host:
    return Host(fault_env, tmp_path)


def logged_at(line: str) -> datetime:
    return datetime.strptime(line[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


@pytest.mark.parametrize("offset_s", [HOUR_S, -HOUR_S], ids=["forward", "back"])
async def test_a_jump_of_the_clock_closes_nothing_early_and_nothing_late(
    fault_env: FaultEnv, host: Host, offset_s: float
) -> None:
    bot = await fault_env.start()
    soon, later, asked_after = [await fault_env.open() for _ in range(3)]
    await fault_env.ask(later, "30m")
    await fault_env.ask(soon, "3s")
    host.set(offset_s)
    await fault_env.ask(asked_after, "1s")
    await fault_env.discord.wait_deleted(asked_after)
    await fault_env.discord.wait_deleted(soon)
    assert not later.deleted
    line = await bot.logged("✅ Successfully auto-closed")
    real = datetime.now(UTC).timestamp() + offset_s
    assert abs(logged_at(line).timestamp() - real) < 120, "the clock did not jump at all"
    await assert_kept(fault_env)


@pytest.mark.long
@pytest.mark.parametrize("offset_s", [HOUR_S, -HOUR_S], ids=["fast", "slow"])
async def test_a_clock_that_is_wrong_from_the_start_does_not_matter(
    fault_env: FaultEnv, host: Host, offset_s: float
) -> None:
    host.set(offset_s)
    await fault_env.start()
    soon, later = await fault_env.open(), await fault_env.open()
    await fault_env.ask(later, "30m")
    await fault_env.ask(soon, "1s")
    await fault_env.discord.wait_deleted(soon)
    await fault_env.restart()
    await fault_env.let_run_out(later)
    await fault_env.discord.wait_deleted(later)
    await assert_kept(fault_env)


@pytest.mark.long
async def test_a_clock_that_jumps_all_the_time(fault_env: FaultEnv, host: Host) -> None:
    await fault_env.start()
    tickets = [await fault_env.open() for _ in range(8)]
    for number, ticket in enumerate(tickets):
        await fault_env.ask(ticket, f"{2 + number}s")
    for step in range(20):
        host.set((-1) ** step * HOUR_S * (step % 3))
        await asyncio.sleep(0.6)
    for ticket in tickets:
        await fault_env.discord.wait_deleted(ticket)
    await assert_kept(fault_env)
