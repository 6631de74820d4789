"""The image and compose.yml, as far as they can be tried without Docker."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.tools.debian import Debian
from tests.tools.image import Image
from tests.tools.service import ROOT, lead_to_discord
from tests.waiting import eventually
from tests.wire import Discord

pytestmark = [pytest.mark.tools, pytest.mark.timeout(1800)]


async def test_with_the_example_as_it_is_the_data_is_in_the_volume_and_the_bot_says_it_is_well(
    debian: Debian, tmp_path: Path
) -> None:
    image = Image(debian)
    await image.build()
    async with Discord() as discord:
        lead_to_discord(debian.root / "opt/python", discord)
        token = tmp_path / "token.env"
        token.write_text(f"DISCORD_TOKEN={discord.environment['DISCORD_TOKEN']}\n")
        settings = (ROOT / ".env.example", token)
        assert "DATA_DIR=.data" in settings[0].read_text(encoding="utf-8")
        health = " ".join(image.health_check)
        assert (await image.try_to_run(health, files=settings))[0] == 1

        running = asyncio.create_task(image.try_to_run(" ".join(image.command), files=settings))
        await discord.wait_ready(within=60)

        async def is_well() -> bool:
            return (await image.try_to_run(health, files=settings))[0] == 0

        await eventually(is_well, timeout_s=60)
        assert "0 timers" in await image.run("python bot.py timers", files=settings)
        await debian.run("pkill -TERM -u punctual -f 'bot.py$'")
        status, said = await running
        assert status == 0, said

    assert {"postgres", "valkey"} <= {path.name for path in (debian.root / "data").iterdir()}
    assert (debian.root / "app/.data").is_symlink()
    assert not (debian.root / "app/tests").exists()
    assert not (debian.root / "app/.env").exists()
