"""Web environments with and without workers."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from domains.database import Database
from domains.settings import Settings
from tests.scheduled_task.conftest import valkey

from .web_env import WebEnv, open_web_env

__all__ = ["valkey"]


@pytest.fixture
def database_url(emptied_database_url: str) -> str:
    return emptied_database_url


@pytest.fixture
def ends_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A blocked dequeue holds up a shutdown for a tenth of its time."""
    monkeypatch.setattr("domains.scheduled_task.workers.worker.DEQUEUE_TIMEOUT_S", 0.1)


@pytest.fixture
async def web_env(database: Database, settings: Settings) -> AsyncGenerator[WebEnv]:
    """Jobs stay where they are until the test moves them."""
    async with open_web_env(database, settings, workers=False) as web_env:
        yield web_env


@pytest.fixture
async def busy_web_env(
    database: Database, settings: Settings, ends_soon: None
) -> AsyncGenerator[WebEnv]:
    async with open_web_env(database, settings) as web_env:
        yield web_env


@pytest.fixture
async def web_env_without_redis(database: Database, settings: Settings) -> AsyncGenerator[WebEnv]:
    nobody = settings.model_copy(
        update={"redis_url": None, "redis_host": "127.0.0.1", "redis_port": 1}
    )
    async with open_web_env(database, nobody, workers=False) as web_env:
        yield web_env
