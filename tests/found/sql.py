"""All that these tests ask of PostgreSQL and change there: the one place that knows tables."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from tests.faults.fault_env import FaultEnv
from tests.wire import Channel

MOST_COLUMNS = 1_000
"""PostgreSQL allows 1,600."""
SEARCH_PATH = "punctual,public"


@dataclass(frozen=True, slots=True)
class Request:
    """A ticket's latest request to close it."""

    id: int
    ticket_id: int
    status: str
    auto_close_at: datetime | None
    resolved_at: datetime | None

    @property
    def late_s(self) -> float:
        """From the deadline to the decision."""
        assert self.auto_close_at is not None
        assert self.resolved_at is not None
        return (self.resolved_at - self.auto_close_at).total_seconds()


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(url, server_settings={"search_path": SEARCH_PATH})
    try:
        yield connection
    finally:
        await connection.close()


def url_of(fault_env: FaultEnv) -> str:
    return fault_env.environment["DATABASE_URL"]


# --- looking


async def _of_ticket(fault_env: FaultEnv, channel: Channel) -> asyncpg.Record:
    async with connected(url_of(fault_env)) as connection:
        found = await connection.fetchrow(
            "select id, status, attention from tickets where channel_id = $1", channel.id
        )
    assert found is not None
    return found


async def ticket_id(fault_env: FaultEnv, channel: Channel) -> int:
    return (await _of_ticket(fault_env, channel))["id"]


async def status(fault_env: FaultEnv, channel: Channel) -> str:
    return (await _of_ticket(fault_env, channel))["status"]


async def attention(fault_env: FaultEnv, channel: Channel) -> str | None:
    return (await _of_ticket(fault_env, channel))["attention"]


async def latest_request(fault_env: FaultEnv, channel: Channel) -> Request:
    async with connected(url_of(fault_env)) as connection:
        found = await connection.fetchrow(
            """select r.id, r.ticket_id, r.status, r.auto_close_at, r.resolved_at
               from close_requests r join tickets t on t.id = r.ticket_id
               where t.channel_id = $1 order by r.id desc limit 1""",
            channel.id,
        )
    assert found is not None
    return Request(**found)


async def applied_migrations(url: str) -> set[str]:
    async with connected(url) as connection:
        return {row["name"] for row in await connection.fetch("select name from schema_migrations")}


# --- what other programs do to the database


@asynccontextmanager
async def empty_database(url: str, name: str) -> AsyncGenerator[str]:
    """Without even the tables: who connects first makes them."""
    async with connected(url) as connection:
        await connection.execute(f"create database {name}")
    try:
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    finally:
        async with connected(url) as connection:
            await connection.execute(f"drop database {name} with (force)")


async def forget_tickets(fault_env: FaultEnv) -> None:
    """As restored from a backup that was made before the first of them."""
    async with connected(url_of(fault_env)) as connection:
        await connection.execute("truncate tickets restart identity cascade")


async def forget_everything(fault_env: FaultEnv) -> None:
    """As made anew: the tables are gone, too."""
    async with connected(url_of(fault_env)) as connection:
        await connection.execute(
            """drop schema if exists punctual cascade;
               drop schema public cascade; create schema public"""
        )


async def keep_adding_columns(fault_env: FaultEnv) -> None:
    """As a newer version's migration does while this one runs, again and again, so that one of
    them falls into each moment."""
    async with connected(url_of(fault_env)) as connection:
        for number in range(MOST_COLUMNS):
            for table in ("tickets", "close_requests", "guild_settings"):
                await connection.execute(f"alter table {table} add column added_{number} text")
            await asyncio.sleep(0.02)


async def be_of_a_newer_version(url: str, migration: str) -> None:
    """Whatever else is kept of a migration: it is kept of this one as of the last."""
    async with connected(url) as connection:
        await connection.execute(
            """create temporary table newer as
                   select * from schema_migrations order by name desc limit 1"""
        )
        await connection.execute("update newer set name = $1", migration)
        await connection.execute("insert into schema_migrations select * from newer")


@asynccontextmanager
async def no_decisions(fault_env: FaultEnv) -> AsyncGenerator[None]:
    """Meanwhile close requests can be read, and whoever wants to change one waits."""
    async with connected(url_of(fault_env)) as connection, connection.transaction():
        await connection.execute("lock table close_requests in exclusive mode")
        yield
