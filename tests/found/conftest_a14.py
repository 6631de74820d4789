"""The fault laboratory's fixtures, and PostgreSQL seen from outside the bot."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from tests.faults.conftest import (
    database_url,
    forgetful_discord,
    lab,
    own_servers,
    postgres,
    valkey,
)
from tests.faults.laboratory import Laboratory
from tests.faults.proxy import PostgresProxy
from tests.found.sql2 import Sql

__all__ = [
    "database_url",
    "forgetful_discord",
    "lab",
    "own_servers",
    "postgres",
    "proxy",
    "sql",
    "valkey",
]


@pytest.fixture
def sql(database_url: str) -> Sql:
    return Sql(database_url)


@pytest.fixture
async def proxy(lab: Laboratory) -> AsyncGenerator[PostgresProxy]:
    """Between the laboratory's bots and PostgreSQL: it knows every statement they made."""
    async with PostgresProxy(lab.environment["DATABASE_URL"], lab.postgres.socket) as proxy:
        lab.environment["DATABASE_URL"] = proxy.url
        yield proxy
        await lab.end()
