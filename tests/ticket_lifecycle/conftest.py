"""One database for all tests of this folder, emptied before each."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from domains.database import Database
from tests.conftest import TEMPLATE, Servers
from tests.ticket_lifecycle.databases import scratch_database
from tests.ticket_lifecycle.helpdesk import HelpDesk


@pytest.fixture(scope="session")
def shared_database_url(servers: Servers) -> Generator[str]:
    with scratch_database(servers.database_url, "ticket_lifecycle", TEMPLATE) as url:
        yield url


@pytest.fixture
def database_url(shared_database_url: str) -> str:
    return shared_database_url


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    database = Database(lambda: database_url)
    await database.connect()
    await database.pool.execute(
        "delete from punctual.tickets; delete from punctual.guild_settings;"
        " delete from punctual.heartbeat; delete from punctual.blocks;"
        " delete from punctual.cleanup; delete from punctual.erasures"
    )
    yield database
    await database.close()


@pytest.fixture
async def second_database(database_url: str) -> AsyncGenerator[Database]:
    """The pool of another process."""
    database = Database(lambda: database_url)
    await database.connect()
    yield database
    await database.close()


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> HelpDesk:
    """As after a start: it listens. What `restarted` returns has not listened so far."""
    desk = HelpDesk.in_a_new_world(database, tmp_path / "transcripts")
    await desk.listen()
    return desk
