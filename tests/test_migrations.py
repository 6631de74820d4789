"""Migrations: forward only, each once, all or nothing, one process at a time."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from domains import database as database_module
from domains.database import MIGRATIONS, Database
from domains.errors import StartupError
from domains.ticket_lifecycle import sql
from tests.conftest import Servers
from tests.ticket_lifecycle.databases import scratch_database

NAMES = sorted(path.name for path in MIGRATIONS.glob("*.sql"))

_numbers = itertools.count(1)


@pytest.fixture
def empty_database_url(servers: Servers) -> Generator[str]:
    with scratch_database(servers.database_url, f"migrations_{next(_numbers)}") as url:
        yield url


@pytest.fixture
def migrations(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the migrations that a test may add to."""
    copy = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, copy)
    monkeypatch.setattr(database_module, "MIGRATIONS", copy)
    return copy


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[Database]:
    database = Database(lambda: url)
    await database.connect()
    try:
        yield database
    finally:
        await database.close()


async def applied(database: Database) -> list[str]:
    rows = await database.pool.fetch("select name from schema_migrations order by applied_at, name")
    return [row["name"] for row in rows]


async def tables(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "select table_name from information_schema.tables where table_schema = 'public'"
        )
    finally:
        await connection.close()
    return {row["table_name"] for row in rows}


async def test_a_new_database_gets_every_migration_in_order(empty_database_url: str) -> None:
    async with connected(empty_database_url) as database:
        assert await applied(database) == NAMES
    assert await tables(empty_database_url) >= {
        "tickets",
        "close_requests",
        "ticket_events",
        "guild_settings",
        "schema_migrations",
    }


async def test_connecting_again_changes_nothing(empty_database_url: str) -> None:
    async with connected(empty_database_url) as database:
        before = await database.pool.fetch("select * from schema_migrations order by name")
        await database.pool.execute(
            "insert into punctual.tickets (guild_id, number, opener_id) values (1, 1, 10)"
        )
    async with connected(empty_database_url) as database:
        assert await database.pool.fetch("select * from schema_migrations order by name") == before
        assert await database.pool.fetchval("select count(*) from punctual.tickets") == 1


async def test_processes_that_start_at_once_migrate_once(empty_database_url: str) -> None:
    databases = [Database(lambda: empty_database_url) for _ in range(4)]
    try:
        await asyncio.gather(*(database.connect() for database in databases))
        assert await applied(databases[0]) == NAMES
    finally:
        await asyncio.gather(*(database.close() for database in databases))


async def test_a_failing_migration_leaves_nothing(
    empty_database_url: str, migrations: Path
) -> None:
    broken = migrations / "9999_broken.sql"
    broken.write_text(
        "create table half_done (id bigint);\nalter table no_such_table add column x bigint;\n",
        encoding="utf-8",
    )
    with pytest.raises(StartupError, match="no_such_table") as error:
        await Database(lambda: empty_database_url).connect()
    assert error.value.status == 1
    assert "\n" not in str(error.value)
    assert await tables(empty_database_url) == set()
    broken.write_text("create table half_done (id bigint);\n", encoding="utf-8")
    async with connected(empty_database_url) as database:
        assert await applied(database) == [*NAMES, "9999_broken.sql"]


async def test_a_failing_upgrade_leaves_what_was_there(
    empty_database_url: str, migrations: Path
) -> None:
    async with connected(empty_database_url) as database:
        await database.pool.execute(
            "insert into punctual.tickets (guild_id, number, opener_id) values (1, 1, 10)"
        )
    (migrations / "9998_good.sql").write_text("drop table punctual.heartbeat;", encoding="utf-8")
    (migrations / "9999_broken.sql").write_text(
        "delete from punctual.tickets; oops;", encoding="utf-8"
    )
    with pytest.raises(StartupError, match="oops"):
        await Database(lambda: empty_database_url).connect()
    assert "heartbeat" in await tables(empty_database_url)
    (migrations / "9999_broken.sql").unlink()
    (migrations / "9998_good.sql").unlink()
    async with connected(empty_database_url) as database:
        assert await applied(database) == NAMES
        assert await database.pool.fetchval("select count(*) from punctual.tickets") == 1


async def test_an_upgrade_keeps_what_is_there_and_the_older_version_can_read_on(
    empty_database_url: str, migrations: Path
) -> None:
    """While one process is new and the other not yet."""
    async with connected(empty_database_url) as database:
        await database.pool.execute(
            "insert into punctual.tickets (guild_id, number, opener_id) values (1, 1, 10)"
        )
        (migrations / "9999_mood.sql").write_text(
            "alter table punctual.tickets add column mood text not null default 'calm';",
            encoding="utf-8",
        )
        async with connected(empty_database_url) as newer:
            assert await applied(newer) == [*NAMES, "9999_mood.sql"]
        async with database.connection() as connection:
            (ticket_id,) = await connection.fetchrow("select id from punctual.tickets") or (0,)
            ticket = await sql.ticket(connection, ticket_id)
    assert ticket is not None
    assert ticket.opener_id == 10


async def test_an_older_version_leaves_newer_migrations_alone(
    empty_database_url: str, migrations: Path
) -> None:
    newest = migrations / "9999_mood.sql"
    newest.write_text("create table moods (id bigint);", encoding="utf-8")
    async with connected(empty_database_url):
        pass
    newest.unlink()
    async with connected(empty_database_url) as database:
        assert await applied(database) == [*NAMES, "9999_mood.sql"]
    assert "moods" in await tables(empty_database_url)


# --- what the schema holds to


async def test_all_times_have_a_zone_and_all_ids_are_bigint(database: Database) -> None:
    columns = await database.pool.fetch(
        "select table_name, column_name, udt_name from information_schema.columns"
        " where table_schema = 'public'"
    )
    ids = {row["udt_name"] for row in columns if row["column_name"].split("_")[-1] == "id"}
    assert ids == {"int8"}
    times = {row["udt_name"] for row in columns if row["column_name"].split("_")[-1] == "at"}
    assert times == {"timestamptz"}
    assert "timestamp" not in {row["udt_name"] for row in columns}


async def test_the_tables_have_the_columns_that_others_rely_on(database: Database) -> None:
    promised = {
        "tickets": "id guild_id number channel_id opener_id subject status exclude_from_autoclose "
        "claimed_by_id opened_at closed_at closed_by_id close_reason attention",
        "close_requests": "id ticket_id requested_by_id reason auto_close_at status requested_at "
        "message_id resolved_at resolved_by_id",
        "guild_settings": "guild_id support_role_ids category_id log_channel_id",
        "ticket_events": "id ticket_id",
    }
    for table, columns in promised.items():
        rows = await database.pool.fetch(
            "select column_name from information_schema.columns where table_name = $1", table
        )
        assert {row["column_name"] for row in rows} >= set(columns.split())


async def test_a_ticket_has_at_most_one_pending_request(database: Database) -> None:
    ticket_id = await database.pool.fetchval(
        "insert into punctual.tickets (guild_id, number, opener_id) values (1, 1, 10) returning id"
    )
    async with database.connection() as connection:
        await sql.insert_close_request(connection, ticket_id, 20, None, None)
        with pytest.raises(asyncpg.UniqueViolationError):
            await sql.insert_close_request(connection, ticket_id, 20, None, timedelta(hours=1))
        await connection.execute("update punctual.close_requests set status = 'denied'")
        await sql.insert_close_request(connection, ticket_id, 20, None, None)


@pytest.mark.parametrize("table", ["tickets", "close_requests"])
async def test_no_status_can_be_made_up(database: Database, table: str) -> None:
    ticket_id = await database.pool.fetchval(
        "insert into punctual.tickets (guild_id, number, opener_id) values (1, 1, 10) returning id"
    )
    async with database.connection() as connection:
        await sql.insert_close_request(connection, ticket_id, 20, None, None)
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(f"update {table} set status = 'asleep'")


async def test_a_number_is_given_once_in_a_guild(database: Database) -> None:
    insert = "insert into punctual.tickets (guild_id, number, opener_id) values ($1, $2, 10)"
    await database.pool.execute(insert, 1, 1)
    await database.pool.execute(insert, 2, 1)
    with pytest.raises(asyncpg.UniqueViolationError):
        await database.pool.execute(insert, 1, 1)
