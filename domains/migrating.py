"""Forward-only migrations, into the schema `punctual`.

All that is missing is applied in one transaction, by one process at a time. Migrations only add;
where something has to go, they come in pairs: `NNN_pre_…` adds what both versions can live with,
`NNN_post_…`, a version later, takes away what no version uses any more. So an older program may
meet `pre_` migrations that it does not know, but no others.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from datetime import timedelta
from pathlib import Path

import asyncpg

from domains.errors import StartupError

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent.parent / "migrations"
LOCK_TIMEOUT = timedelta(seconds=10)
"""For a table that another program holds. Waiting in the queue for it would stop all others."""
LOCK_TRIES = 6
HEARTBEAT_FRESH = timedelta(seconds=10)
HEARTBEAT_WATCH_S = 5.0
"""An older version's heartbeat that moves within this time is of a process that runs."""
TABLES = ("guild_settings", "tickets", "close_requests", "ticket_events", "heartbeat")
FIRST = "0001_tickets.sql"


def files() -> dict[str, str]:
    """Name to SQL, in their order."""
    return {
        path.name: path.read_text(encoding="utf-8") for path in sorted(MIGRATIONS.glob("*.sql"))
    }


async def migrate(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """The connection must have no command timeout: a migration takes as long as it takes.

    Raises StartupError for what an operator can see to.
    """
    for attempt in range(1, LOCK_TRIES + 1):
        try:
            async with connection.transaction():
                await _migrate(connection)
            return
        except asyncpg.LockNotAvailableError:
            if attempt == LOCK_TRIES:
                raise StartupError(
                    "DATABASE_URL: the migration cannot begin, since another program holds a lock "
                    "on Punctual's tables; end it, and start again"
                ) from None
            log.warning("Another program holds a lock on Punctual's tables; trying again")


async def _migrate(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    await connection.execute("set local lock_timeout = 0")
    await connection.execute("select pg_advisory_xact_lock(hashtextextended('punctual', 0))")
    await connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT.total_seconds():g}s'")
    if await _applied(connection) is None:
        await connection.execute("create schema if not exists punctual")
        await _move_from_public(connection)
    await connection.execute(
        """create table if not exists punctual.schema_migrations (
               name text primary key, applied_at timestamptz not null default now());
           alter table punctual.schema_migrations add column if not exists checksum text"""
    )
    applied = await _applied(connection) or {}
    known = files()
    _refuse_newer(applied.keys() - known.keys())
    await connection.execute("set local search_path = punctual")
    for name, sql in known.items():
        checksum = hashlib.sha256(sql.encode()).hexdigest()
        if name not in applied:
            await connection.execute(sql)
            await connection.execute(
                "insert into schema_migrations (name, checksum) values ($1, $2)", name, checksum
            )
            log.info("Applied migration %s", name)
        elif applied[name] is None:
            await connection.execute(
                "update schema_migrations set checksum = $2 where name = $1", name, checksum
            )
        elif applied[name] != checksum:
            raise StartupError(
                f"DATABASE_URL: the migration {name} was changed after it had been applied; "
                "install the version that belongs to this database"
            )


async def _applied(connection: asyncpg.Connection[asyncpg.Record]) -> dict[str, str | None] | None:
    """Name to checksum. None if nothing has been migrated into our schema yet."""
    if await connection.fetchval("select to_regclass('punctual.schema_migrations')") is None:
        return None
    records = await connection.fetch("select name, checksum from punctual.schema_migrations")
    return {record["name"]: record["checksum"] for record in records}


def _refuse_newer(unknown: set[str]) -> None:
    """What was only added does no harm; anything else a newer version alone understands."""
    newer = sorted(name for name in unknown if "_pre_" not in name)
    if newer:
        raise StartupError(
            f"DATABASE_URL: this database belongs to a newer version of Punctual ({newer[-1]}); "
            "install that version"
        )


async def _move_from_public(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Older versions had their tables in `public`, beside whatever else is there."""
    if not await _older_version_is_in_public(connection):
        return
    await _refuse_while_an_older_version_runs(connection)
    for table in (*TABLES, "schema_migrations"):
        await connection.execute(f"alter table public.{table} set schema punctual")
    await connection.execute(
        "alter table punctual.schema_migrations add column if not exists checksum text"
    )
    log.info("Moved the tables into the schema punctual")


async def _older_version_is_in_public(connection: asyncpg.Connection[asyncpg.Record]) -> bool:
    """Many programs have a table of that name, each with other columns."""
    has_our_columns = await connection.fetchval(
        """select count(*) = 2 from information_schema.columns
           where table_schema = 'public' and table_name = 'schema_migrations'
             and column_name in ('name', 'applied_at')"""
    )
    return has_our_columns and await connection.fetchval(
        "select exists (select from public.schema_migrations where name::text = $1)", FIRST
    )


async def _refuse_while_an_older_version_runs(
    connection: asyncpg.Connection[asyncpg.Record],
) -> None:
    """It would go on with tables that are no longer there."""
    read = "select max(seen_at) from public.heartbeat"
    seen_at = await connection.fetchval(read)
    fresh = "select $1::timestamptz > clock_timestamp() - $2::interval"
    if seen_at is None or not await connection.fetchval(fresh, seen_at, HEARTBEAT_FRESH):
        return
    await asyncio.sleep(HEARTBEAT_WATCH_S)
    if await connection.fetchval(read) != seen_at:
        raise StartupError(
            "DATABASE_URL: an older version of Punctual is running on this database; stop it "
            "first: this version moves its tables"
        )
