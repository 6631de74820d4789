"""The fault tests' environment, and PostgreSQL and Redis seen from outside the bot."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from tests.faults.conftest import (
    database_url,
    fault_env,
    forgetful_discord,
    own_servers,
    postgres,
    valkey,
)
from tests.faults.fault_env import FaultEnv
from tests.faults.own_servers import OwnValkey
from tests.faults.proxy import PostgresProxy
from tests.found.redis import Redis
from tests.found.sql import Sql

__all__ = [
    "database_url",
    "fault_env",
    "forgetful_discord",
    "own_servers",
    "postgres",
    "proxy",
    "redis",
    "sql",
    "valkey",
]


@pytest.fixture
def sql(database_url: str) -> Sql:
    return Sql(database_url)


@pytest.fixture
def redis(valkey: OwnValkey) -> Redis:
    return Redis(valkey)


@pytest.fixture
async def proxy(fault_env: FaultEnv) -> AsyncGenerator[PostgresProxy]:
    """Between the bots and PostgreSQL: it knows every statement they made."""
    async with PostgresProxy(
        fault_env.environment["DATABASE_URL"], fault_env.postgres.socket
    ) as proxy:
        fault_env.environment["DATABASE_URL"] = proxy.url
        yield proxy
        await fault_env.end()
