"""An outbox of its own, emptied before each test."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator

import pytest

from domains.database import Database
from tests.conftest import TEMPLATE, Servers
from tests.effects.outbox import Outbox
from tests.ticket_lifecycle.databases import scratch_database


@pytest.fixture(scope="session")
def shared_database_url(servers: Servers) -> Generator[str]:
    with scratch_database(servers.database_url, "effects", TEMPLATE) as url:
        yield url


@pytest.fixture
async def outbox(shared_database_url: str) -> AsyncGenerator[Outbox]:
    database = Database(lambda: shared_database_url)
    await database.connect()
    await database.pool.execute("delete from punctual.tickets")
    outbox = Outbox(database)
    yield outbox
    await outbox.stop()
    await database.close()
