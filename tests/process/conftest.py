"""What a bot process needs: a Discord, servers, and settings in its environment."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.process.helpdesk import Helpdesk
from tests.wire import Discord


@pytest.fixture
async def discord() -> AsyncGenerator[Discord]:
    """Every test also checks that the bot asked only for what Discord offers, in its words."""
    async with Discord() as stand_in:
        yield stand_in
        assert stand_in.unexpected == []
        assert stand_in.violations == []


@pytest.fixture
def environment(database_url: str, redis_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "DATA_DIR": str(tmp_path),
        "MIN_CLOSE_DELAY": "1",
    }


@pytest.fixture
def helpdesk(discord: Discord) -> Helpdesk:
    return Helpdesk(discord)
