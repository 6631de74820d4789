"""The clock of the bot's host jumps by an hour, either way, while it runs or before it starts."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faults.laboratory import Laboratory
from tests.faults.properties import assert_kept

HOUR_S = 3600.0
CLOCK = Path(__file__).with_name("clock")


class Host:
    """The bot's, whose clock the test sets. PostgreSQL and Discord are elsewhere."""

    def __init__(self, lab: Laboratory, folder: Path) -> None:
        self._file = folder / "clock-offset"
        self.set(0)
        lab.environment |= {"PYTHONPATH": str(CLOCK), "CLOCK_OFFSET": str(self._file)}

    def set(self, offset_s: float) -> None:
        draft = self._file.with_suffix(".new")
        draft.write_text(str(offset_s), encoding="ascii")
        draft.replace(self._file)


@pytest.fixture
def host(lab: Laboratory, tmp_path: Path) -> Host:
    return Host(lab, tmp_path)


def logged_at(line: str) -> datetime:
    return datetime.strptime(line[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


@pytest.mark.parametrize("offset_s", [HOUR_S, -HOUR_S], ids=["forward", "back"])
async def test_a_jump_of_the_clock_closes_nothing_early_and_nothing_late(
    lab: Laboratory, host: Host, offset_s: float
) -> None:
    bot = await lab.start()
    soon, later, asked_after = [await lab.open() for _ in range(3)]
    await lab.ask(later, "30m")
    await lab.ask(soon, "3s")
    host.set(offset_s)
    await lab.ask(asked_after, "1s")
    await lab.discord.wait_deleted(asked_after)
    await lab.discord.wait_deleted(soon)
    assert not later.deleted
    line = await bot.logged("✅ Successfully auto-closed")
    real = datetime.now(UTC).timestamp() + offset_s
    assert abs(logged_at(line).timestamp() - real) < 120, "the clock did not jump at all"
    await assert_kept(lab)


@pytest.mark.long
@pytest.mark.parametrize("offset_s", [HOUR_S, -HOUR_S], ids=["fast", "slow"])
async def test_a_clock_that_is_wrong_from_the_start_does_not_matter(
    lab: Laboratory, host: Host, offset_s: float
) -> None:
    host.set(offset_s)
    await lab.start()
    soon, later = await lab.open(), await lab.open()
    await lab.ask(later, "30m")
    await lab.ask(soon, "1s")
    await lab.discord.wait_deleted(soon)
    await lab.restart()
    await lab.let_run_out(later)
    await lab.discord.wait_deleted(later)
    await assert_kept(lab)


@pytest.mark.long
async def test_a_clock_that_jumps_all_the_time(lab: Laboratory, host: Host) -> None:
    await lab.start()
    tickets = [await lab.open() for _ in range(8)]
    for number, ticket in enumerate(tickets):
        await lab.ask(ticket, f"{2 + number}s")
    for step in range(20):
        host.set((-1) ** step * HOUR_S * (step % 3))
        await asyncio.sleep(0.6)
    for ticket in tickets:
        await lab.discord.wait_deleted(ticket)
    await assert_kept(lab)
