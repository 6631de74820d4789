"""A migration may take as long as it takes; one that does not fit is refused in one line."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from domains import database as database_module
from domains import migrating
from domains.database import Database
from domains.errors import StartupError
from tests.faults.fault_env import FaultEnv
from tests.faults.own_servers import OwnPostgres
from tests.found.sql import Sql
from tests.waiting import eventually

TIMEOUT_S, SLOW_S = 1.0, 2.5
SLOW = f"select pg_sleep({SLOW_S}); create table slowly_made (id bigint);"


@pytest.fixture
async def empty(postgres: OwnPostgres) -> AsyncGenerator[Sql]:
    async with Sql(postgres.url).empty_database("to_be_migrated") as sql:
        yield sql


@pytest.fixture
def migrations(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the migrations that a test may change."""
    copy = tmp_path / "migrations"
    shutil.copytree(migrating.MIGRATIONS, copy)
    monkeypatch.setattr(migrating, "MIGRATIONS", copy)
    return copy


async def migrate(sql: Sql, processes: int = 1) -> None:
    databases = [Database(lambda: sql.url) for _ in range(processes)]
    try:
        await asyncio.gather(*(database.connect() for database in databases))
    finally:
        await asyncio.gather(*(database.close() for database in databases))


@pytest.mark.parametrize("processes", [1, 2])
async def test_a_migration_may_take_longer_than_a_statement_and_be_waited_for(
    empty: Sql, migrations: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    monkeypatch.setattr(database_module, "COMMAND_TIMEOUT_S", TIMEOUT_S)
    (migrations / "9999_slow.sql").write_text(SLOW, encoding="utf-8")
    await migrate(empty, processes)
    assert "9999_slow.sql" in await empty.applied_migrations()


async def test_a_migration_that_waits_for_a_lock_does_not_stop_others(
    empty: Sql, migrations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever only reads would stand in line behind it: it lets them pass, and tries again."""
    monkeypatch.setattr(migrating, "LOCK_TIMEOUT", timedelta(seconds=1))
    monkeypatch.setattr(migrating, "LOCK_TRIES", 100)
    await migrate(empty)
    (migrations / "9999_more.sql").write_text(
        "alter table punctual.tickets add column more text;", encoding="utf-8"
    )
    async with empty.locked("tickets", "access share"):  # as for a dump
        upgrade = asyncio.create_task(migrate(empty))

        async def somebody_waits() -> bool:
            return await empty.number("select count(*) from pg_locks where not granted") > 0

        await eventually(somebody_waits)
        assert await empty.number("select count(*) from tickets") == 0
        assert not upgrade.done()
    await upgrade
    assert "9999_more.sql" in await empty.applied_migrations()


async def test_a_lock_that_is_never_given_up_ends_the_start_in_one_line(
    empty: Sql, migrations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "LOCK_TIMEOUT", timedelta(seconds=0.1))
    await migrate(empty)
    (migrations / "9999_more.sql").write_text(
        "alter table punctual.tickets add column more text;", encoding="utf-8"
    )
    async with empty.locked("tickets", "access share"):
        with pytest.raises(StartupError, match="another program holds a lock") as refusal:
            await migrate(empty)
    assert "\n" not in str(refusal.value)
    assert "9999_more.sql" not in await empty.applied_migrations()


async def test_a_migration_that_was_changed_after_it_was_applied_is_refused_in_one_line(
    empty: Sql, migrations: Path
) -> None:
    added = migrations / "9999_added.sql"
    added.write_text("create table added (id bigint);", encoding="utf-8")
    await migrate(empty)
    added.write_text("create table added (id bigint, more bigint);", encoding="utf-8")
    with pytest.raises(StartupError, match="9999_added") as refusal:
        await migrate(empty)
    assert "\n" not in str(refusal.value)


async def test_a_schema_newer_than_the_program_ends_the_start_in_one_line(
    fault_env: FaultEnv, sql: Sql
) -> None:
    await sql.be_of_a_newer_version("9999_from_the_future.sql")
    bot = await fault_env.begin_start()
    assert await bot.ended(within=10) in (1, 2)
    assert "Traceback" not in bot.log
    assert "9999_from_the_future" in bot.lines[-1]
