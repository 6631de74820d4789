"""Real servers for every test: one PostgreSQL and Valkey, and a fresh database a test."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from redis.asyncio import Redis

from domains.database import Database
from domains.program import CHECKOUT
from domains.settings import Settings
from embedded import EmbeddedServers

TEMPLATE = "punctual_template"
EMPTY_DATABASE = """do $$ begin execute 'truncate ' || (
    select string_agg('punctual.' || quote_ident(tablename), ', ') from pg_tables
    where schemaname = 'punctual' and tablename not in ('schema_migrations', 'installation')
) || ' restart identity cascade'; end $$"""
"""Empty all tables, which is several times as fast as a new database."""

_numbers = itertools.count(1)


def pytest_sessionstart() -> None:
    if (CHECKOUT / ".env").exists():
        pytest.exit("The bots of the tests would read .env of this checkout: move it away", 4)


@dataclass(frozen=True, slots=True)
class Servers:
    database_url: str
    redis_url: str


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Generator[Servers]:
    """PostgreSQL and Valkey of their own, with a migrated database to copy from."""
    with asyncio.Runner() as runner:
        embedded = EmbeddedServers(tmp_path_factory.mktemp("servers"), durable=False)
        runner.run(embedded.start())
        try:
            runner.run(_make_template(embedded.superuser_url))
            yield Servers(embedded.superuser_url, embedded.redis_url)
        finally:
            runner.run(embedded.stop())


async def _make_template(url: str) -> None:
    await _execute(url, f"create database {TEMPLATE}")
    database = Database(lambda: _named(url, TEMPLATE))
    await database.connect()
    await database.close()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _named(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@pytest.fixture
async def database_url(servers: Servers) -> AsyncGenerator[str]:
    """A fresh database, migrated, dropped afterwards even if something still clings to it."""
    name = f"test_{next(_numbers)}"
    await _execute(servers.database_url, f"create database {name} template {TEMPLATE}")
    yield _named(servers.database_url, name)
    await _execute(servers.database_url, f"drop database {name} with (force)")


@asynccontextmanager
async def redis_client(servers: EmbeddedServers) -> AsyncGenerator[Redis]:
    redis: Redis = Redis.from_url(servers.redis_url)  # pyright: ignore[reportUnknownMemberType]
    try:
        yield redis
    finally:
        await redis.aclose()


@pytest.fixture
async def redis_url(servers: Servers) -> str:
    """An empty Valkey."""
    redis: Redis = Redis.from_url(servers.redis_url)  # pyright: ignore[reportUnknownMemberType]
    await redis.execute_command("FLUSHALL")  # pyright: ignore[reportUnknownMemberType]
    await redis.aclose()
    return servers.redis_url


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    database = Database(lambda: database_url)
    await database.connect()
    yield database
    await database.close()


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """As an operator would have them, but for delays of a second and no cooldown."""
    return Settings.model_validate(
        {
            "database_url": database_url,
            "redis_url": redis_url,
            "data_dir": tmp_path / "data",
            "min_close_delay": 1,
            "open_cooldown": 0,
        }
    )
