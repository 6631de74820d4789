"""Migrations: forward only, each once, all or nothing, one process at a time, and all into the
schema `punctual`: whatever else a database holds is not ours."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from domains import migrating
from domains.database import Database
from domains.errors import StartupError
from domains.tasks import cancel
from domains.ticket_lifecycle.store import requests, tickets
from tests.conftest import Servers
from tests.ticket_lifecycle.databases import execute, scratch_database

FILES = migrating.files()
NAMES = list(FILES)
A_TICKET = "insert into punctual.tickets (guild_id, number, opener_id) values (1, 1, 10)"

_numbers = itertools.count(1)


@pytest.fixture
def empty_url(servers: Servers) -> Generator[str]:
    with scratch_database(servers.database_url, f"migrations_{next(_numbers)}") as url:
        yield url


@pytest.fixture
def migrations(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the migrations that a test may add to."""
    copy = tmp_path / "migrations"
    shutil.copytree(migrating.MIGRATIONS, copy)
    monkeypatch.setattr(migrating, "MIGRATIONS", copy)
    return copy


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[Database]:
    database = Database(lambda: url)
    await database.connect()
    try:
        yield database
    finally:
        await database.close()


async def start(url: str) -> None:
    async with connected(url):
        pass


async def refusal(url: str) -> str:
    """The one line that an operator reads."""
    with pytest.raises(StartupError) as error:
        await start(url)
    assert error.value.status == 1
    assert "\n" not in str(error.value)
    return str(error.value)


async def fetch(url: str, query: str) -> list[tuple[object, ...]]:
    """Without migrating first."""
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def applied(url: str) -> list[object]:
    rows = await fetch(url, "select name from punctual.schema_migrations order by applied_at, name")
    return [name for (name,) in rows]


async def tables(url: str, schema: str = "punctual") -> set[object]:
    rows = await fetch(url, f"select tablename from pg_tables where schemaname = '{schema}'")
    return {name for (name,) in rows}


async def test_a_new_database_gets_every_migration_in_order(empty_url: str) -> None:
    await start(empty_url)
    assert await applied(empty_url) == NAMES
    assert await tables(empty_url) >= {*migrating.TABLES, "effects", "schema_migrations"}
    assert await tables(empty_url, "public") == set()


async def test_connecting_again_changes_nothing(empty_url: str) -> None:
    everything = "select * from punctual.schema_migrations, punctual.installation order by name"
    await start(empty_url)
    before = await fetch(empty_url, everything)
    await execute(empty_url, A_TICKET)
    await start(empty_url)
    assert await fetch(empty_url, everything) == before
    assert await fetch(empty_url, "select number from punctual.tickets") == [(1,)]


async def test_processes_that_start_at_once_migrate_once(empty_url: str) -> None:
    databases = [Database(lambda: empty_url) for _ in range(4)]
    try:
        await asyncio.gather(*(database.connect() for database in databases))
        assert len({database.installation_id for database in databases}) == 1
    finally:
        await asyncio.gather(*(database.close() for database in databases))
    assert await applied(empty_url) == NAMES


async def test_a_failing_migration_leaves_nothing(empty_url: str, migrations: Path) -> None:
    broken = migrations / "9999_broken.sql"
    broken.write_text("create table half_done (id bigint); alter table no_such add x bigint;")
    assert "no_such" in await refusal(empty_url)
    assert await tables(empty_url) == set()
    broken.write_text("create table half_done (id bigint);")
    await start(empty_url)
    assert await applied(empty_url) == [*NAMES, "9999_broken.sql"]


async def test_a_failing_upgrade_leaves_what_was_there(empty_url: str, migrations: Path) -> None:
    await start(empty_url)
    await execute(empty_url, A_TICKET)
    (migrations / "9998_good.sql").write_text("drop table punctual.heartbeat;")
    (migrations / "9999_broken.sql").write_text("delete from punctual.tickets; oops;")
    assert "oops" in await refusal(empty_url)
    assert "heartbeat" in await tables(empty_url)
    assert await applied(empty_url) == NAMES
    assert await fetch(empty_url, "select number from punctual.tickets") == [(1,)]


async def test_a_table_that_another_program_holds_is_waited_for_and_then_named(
    empty_url: str, migrations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "LOCK_TIMEOUT", timedelta(seconds=0.1))
    monkeypatch.setattr(migrating, "LOCK_TRIES", 2)
    await start(empty_url)
    (migrations / "9999_pre_mood.sql").write_text("alter table tickets add mood text;")
    async with connected_as_another_program(empty_url) as other, other.transaction():
        await other.execute("lock table punctual.tickets")
        assert "another program holds a lock" in await refusal(empty_url)
    await start(empty_url)


@asynccontextmanager
async def connected_as_another_program(
    url: str,
) -> AsyncGenerator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


# --- two versions on one database


async def test_an_upgrade_keeps_what_is_there_and_the_older_version_can_read_on(
    empty_url: str, migrations: Path
) -> None:
    """While one process is new and the other not yet."""
    async with connected(empty_url) as older:
        await execute(empty_url, A_TICKET)
        async with older.connection() as connection:
            ticket = await tickets.get(connection, 1)
        (migrations / "9999_pre_mood.sql").write_text(
            "alter table tickets add mood text not null default 'calm';"
        )
        await start(empty_url)
        async with older.connection() as connection:
            assert await tickets.get(connection, 1) == ticket is not None


async def test_an_older_version_starts_where_a_newer_one_has_only_added(
    empty_url: str, migrations: Path
) -> None:
    newest = migrations / "9999_pre_mood.sql"
    newest.write_text("create table moods (id bigint);")
    await start(empty_url)
    newest.unlink()
    await start(empty_url)
    assert await applied(empty_url) == [*NAMES, "9999_pre_mood.sql"]
    assert "moods" in await tables(empty_url)


@pytest.mark.parametrize("name", ["9999_mood.sql", "9999_post_mood.sql"])
async def test_an_older_version_refuses_what_only_a_newer_one_understands(
    empty_url: str, migrations: Path, name: str
) -> None:
    newest = migrations / name
    newest.write_text("alter table tickets drop subject;")
    await start(empty_url)
    newest.unlink()
    text = await refusal(empty_url)
    assert "newer version" in text
    assert name in text


async def test_a_migration_that_was_changed_after_it_was_applied_is_refused(
    empty_url: str, migrations: Path
) -> None:
    added = migrations / "9999_added.sql"
    added.write_text("create table added (id bigint);")
    await start(empty_url)
    added.write_text("create table added (id bigint, more bigint);")
    assert "9999_added.sql was changed" in await refusal(empty_url)


# --- the move out of the schema public

OLDER = ("0001_tickets.sql", "0002_extensions.sql")
LEDGER = """create table public.schema_migrations (
    name text primary key, applied_at timestamptz not null default now())"""
SEEN = "update public.heartbeat set seen_at = clock_timestamp()"


async def make_older(url: str, *rows: str, migrations: Sequence[str] = OLDER) -> None:
    """A database as the last version before the schema `punctual` left it."""
    ledger = [f"insert into schema_migrations (name) values ('{name}')" for name in migrations]
    await execute(url, LEDGER, *(FILES[name] for name in migrations), *ledger, *rows)


def insert(table: str, columns: dict[str, object]) -> str:
    values = ", ".join("null" if value is None else f"'{value}'" for value in columns.values())
    return f"insert into {table} ({', '.join(columns)}) values ({values})"


def older_ticket(**columns: object) -> str:
    return insert("tickets", {"guild_id": 1, "number": 1, "opener_id": 10} | columns)


def older_request(**columns: object) -> str:
    return insert("close_requests", {"ticket_id": 1, "requested_by_id": 20} | columns)


async def test_the_tables_of_an_older_version_move_with_all_that_is_in_them(empty_url: str) -> None:
    await make_older(
        empty_url,
        "insert into guild_settings (guild_id, category_id) values (1, 2)",
        older_ticket(channel_id=3, subject="help", attention="may not delete it"),
        older_ticket(guild_id=2),
        older_request(message_id=5, reason="done", auto_close_at="2030-01-01 12:00Z", extensions=2),
        "insert into ticket_events (ticket_id, event, late_ms) values (2, 'closed', 12)",
        "insert into heartbeat (seen_at) values ('2020-01-01 12:00Z')",
    )
    async with connected(empty_url) as database, database.connection() as connection:
        ticket = await tickets.get(connection, 1)
        request = await requests.pending(connection, 1)
        assert (await requests.insert(connection, 2, 20, None, None)).id == 2
    assert ticket is not None
    assert (ticket.channel_id, ticket.subject) == (3, "help")
    assert ticket.attention == {"code": "other", "text": "may not delete it"}
    assert request is not None
    assert (request.message_id, request.reason, request.extensions) == (5, "done", 2)
    assert request.auto_close_at is not None
    assert request.auto_close_at.isoformat() == "2030-01-01T12:00:00+00:00"
    assert await fetch(
        empty_url, "select ticket_id, guild_id, late_ms from punctual.ticket_events"
    ) == [(2, 2, 12)]
    assert await fetch(empty_url, "select seen_at::date::text from punctual.heartbeat") == [
        ("2020-01-01",)
    ]
    assert await tables(empty_url, "public") == set()
    assert await applied(empty_url) == NAMES
    await start(empty_url)


async def test_after_the_move_the_migrations_of_the_older_version_have_checksums(
    empty_url: str, migrations: Path
) -> None:
    await make_older(empty_url)
    await start(empty_url)
    (migrations / OLDER[0]).write_text("create table another (id bigint);")
    assert f"{OLDER[0]} was changed" in await refusal(empty_url)


async def test_an_older_version_that_lacks_its_last_migrations_gets_them_after_the_move(
    empty_url: str,
) -> None:
    await make_older(empty_url, older_ticket(), older_request(), migrations=OLDER[:1])
    await start(empty_url)
    assert await applied(empty_url) == NAMES
    assert await fetch(empty_url, "select extensions from punctual.close_requests") == [(0,)]


OPENING = {"opening": True}
CLOSING = {"status": "closing", "channel_id": 3}
DENIED = {"status": "denied", "message_id": 5}


@pytest.mark.parametrize(
    ("ticket", "request_", "left"),
    [
        ({}, None, ""),
        ({}, {"message_id": 5}, ""),
        (OPENING, None, "open-channel+ welcome+"),
        (OPENING | {"channel_id": 3}, None, "welcome+"),
        (OPENING | {"status": "closed"}, None, ""),
        ({}, {"announced": False}, "ask.1+"),
        (OPENING | {"channel_id": 3}, {"announced": False}, "welcome+ ask.1+"),
        ({}, {"announced": False, "status": "superseded"}, ""),
        ({}, {"message_id": 5, "grace_announced": False}, "announce-grace.1"),
        (
            {},
            {"message_id": 5, "grace_announced": False, "shown": False},
            "announce-grace.1 sync-request.1",
        ),
        ({}, DENIED | {"grace_announced": False}, ""),
        ({}, DENIED | {"shown": False}, "sync-request.1"),
        ({"status": "closed"}, DENIED | {"shown": False, "announced": False}, ""),
        (CLOSING, None, "save-transcript log-close dm-opener remove-channel"),
        (
            CLOSING | {"close_attempts": 3, "close_failures": 2, "attention": "help"},
            None,
            "save-transcript+ log-close+ dm-opener+ remove-channel+",
        ),
        (CLOSING | {"close_step": "transcript"}, None, "log-close dm-opener remove-channel"),
        (CLOSING | {"close_step": "log"}, None, "dm-opener remove-channel"),
        (CLOSING | {"close_step": "dm", "close_attempts": 1}, None, "remove-channel+"),
        (CLOSING | {"close_step": "channel"}, None, "remove-channel"),
        (
            CLOSING,
            {"announced": False, "shown": False, "grace_announced": False},
            "save-transcript log-close dm-opener remove-channel",
        ),
    ],
)
async def test_what_an_older_version_left_half_done_goes_on_as_effects(
    empty_url: str, ticket: dict[str, object], request_: dict[str, object] | None, left: str
) -> None:
    """`+`: it was begun, so it is looked for first."""
    rows = [] if request_ is None else [older_request(**request_)]
    await make_older(empty_url, older_ticket(**ticket), *rows)
    await start(empty_url)
    effects = await fetch(
        empty_url,
        """select string_agg(kind || case when subject_id > 0 then '.' || subject_id else '' end
                             || case when attempts > 0 then '+' else '' end, ' ' order by id)
           from punctual.effects where ticket_id = 1 and guild_id = 1 and lane = 0
             and failures = 0 and due_at <= now()""",
    )
    assert effects == [(left or None,)]


@pytest.fixture
def watched_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "HEARTBEAT_WATCH_S", 0.3)


@pytest.mark.usefixtures("watched_briefly")
async def test_nothing_moves_while_the_heartbeat_of_an_older_version_does(empty_url: str) -> None:
    await make_older(empty_url, "insert into heartbeat (seen_at) values (now())")

    async def run() -> None:
        async with connected_as_another_program(empty_url) as older:
            while True:
                await older.execute(SEEN)
                await asyncio.sleep(0.02)

    running = asyncio.create_task(run())
    try:
        assert "an older version of Punctual is running" in await refusal(empty_url)
        assert await tables(empty_url) == set()
        assert "tickets" in await tables(empty_url, "public")
    finally:
        await cancel(running)
    await start(empty_url)
    assert await tables(empty_url, "public") == set()


async def test_a_heartbeat_that_ended_long_ago_is_not_watched(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "HEARTBEAT_WATCH_S", 3600)
    await make_older(
        empty_url, "insert into heartbeat (seen_at) values (now() - interval '11 seconds')"
    )
    async with asyncio.timeout(60):
        await start(empty_url)


@pytest.mark.parametrize(
    "ledger",
    [
        "version text primary key",
        "version text primary key, applied_at timestamptz",
        "name text primary key, applied_at timestamptz",
        "name bigint primary key, applied_at timestamptz",
    ],
)
async def test_tables_of_another_program_are_left_alone_whatever_they_are_called(
    empty_url: str, ledger: str
) -> None:
    theirs = {*migrating.TABLES, "schema_migrations"}
    await execute(
        empty_url,
        f"create table schema_migrations ({ledger})",
        *(f"create table {table} (theirs text)" for table in migrating.TABLES),
        "insert into schema_migrations values ('1')",
        "insert into tickets values ('to the zoo')",
    )
    await start(empty_url)
    await start(empty_url)
    assert await tables(empty_url, "public") == theirs
    assert await fetch(empty_url, "select * from public.tickets") == [("to the zoo",)]
    assert await fetch(empty_url, "select count(*) from punctual.tickets") == [(0,)]


async def test_what_others_have_beside_the_tables_of_an_older_version_stays_there(
    empty_url: str,
) -> None:
    await make_older(empty_url, "create table installation (theirs text)")
    await start(empty_url)
    assert await tables(empty_url, "public") == {"installation"}
    assert await fetch(empty_url, "select count(*) from public.installation") == [(0,)]


# --- what the schema holds to


async def test_all_times_have_a_zone_and_all_ids_are_bigint(database: Database) -> None:
    columns = await database.pool.fetch(
        "select table_name, column_name, udt_name from information_schema.columns"
        " where table_schema = 'punctual'"
    )
    ids = {
        row["udt_name"]
        for row in columns
        if row["column_name"].split("_")[-1] == "id" and row["table_name"] != "installation"
    }
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
        "ticket_events": "id ticket_id guild_id event actor_id at late_ms",
    }
    for table, columns in promised.items():
        rows = await database.pool.fetch(
            "select column_name from information_schema.columns"
            " where table_schema = 'punctual' and table_name = $1",
            table,
        )
        assert {row["column_name"] for row in rows} >= set(columns.split())


async def test_a_ticket_has_at_most_one_pending_request(database: Database) -> None:
    ticket_id = await database.pool.fetchval(f"{A_TICKET} returning id")
    async with database.connection() as connection:
        await requests.insert(connection, ticket_id, 20, None, None)
        with pytest.raises(asyncpg.UniqueViolationError):
            await requests.insert(connection, ticket_id, 20, None, timedelta(hours=1))
        await connection.execute("update punctual.close_requests set status = 'denied'")
        await requests.insert(connection, ticket_id, 20, None, None)


@pytest.mark.parametrize("table", ["tickets", "close_requests"])
async def test_no_status_can_be_made_up(database: Database, table: str) -> None:
    ticket_id = await database.pool.fetchval(f"{A_TICKET} returning id")
    async with database.connection() as connection:
        await requests.insert(connection, ticket_id, 20, None, None)
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(f"update punctual.{table} set status = 'asleep'")


async def test_a_number_is_given_once_in_a_guild(database: Database) -> None:
    insert = "insert into punctual.tickets (guild_id, number, opener_id) values ($1, $2, 10)"
    await database.pool.execute(insert, 1, 1)
    await database.pool.execute(insert, 2, 1)
    with pytest.raises(asyncpg.UniqueViolationError):
        await database.pool.execute(insert, 1, 1)
