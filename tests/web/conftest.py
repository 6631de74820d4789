"""Offices with and without workers."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from domains.database import Database
from domains.settings import Settings
from tests.scheduled_task.conftest import valkey

from .office import Office, an_office

__all__ = ["valkey"]


@pytest.fixture
def ends_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A blocked dequeue holds up a shutdown for a tenth of its time."""
    monkeypatch.setattr("domains.scheduled_task.workers.worker.DEQUEUE_TIMEOUT_S", 0.1)


@pytest.fixture
async def office(database: Database, settings: Settings) -> AsyncGenerator[Office]:
    """Jobs stay where they are until the test moves them."""
    async with an_office(database, settings, workers=False) as office:
        yield office


@pytest.fixture
async def busy_office(
    database: Database, settings: Settings, ends_soon: None
) -> AsyncGenerator[Office]:
    async with an_office(database, settings) as office:
        yield office


@pytest.fixture
async def office_without_redis(database: Database, settings: Settings) -> AsyncGenerator[Office]:
    nobody = settings.model_copy(
        update={"redis_url": None, "redis_host": "127.0.0.1", "redis_port": 1}
    )
    async with an_office(database, nobody, workers=False) as office:
        yield office
