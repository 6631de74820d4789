"""A migration may take as long as it takes; one that does not fit is refused in one line."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from domains import database as database_module
from domains.database import MIGRATIONS, Database
from domains.errors import StartupError
from tests.faults.fault_env import FaultEnv
from tests.faults.own_servers import OwnPostgres
from tests.found import sql

TIMEOUT_S, SLOW_S = 1.0, 2.5
SLOW = f"select pg_sleep({SLOW_S}); create table slowly_made (id bigint);"


@pytest.fixture
async def empty_url(postgres: OwnPostgres) -> AsyncGenerator[str]:
    async with sql.empty_database(postgres.url, "to_be_migrated") as url:
        yield url


@pytest.fixture
def migrations(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the migrations that a test may change."""
    copy = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, copy)
    monkeypatch.setattr(database_module, "MIGRATIONS", copy)
    return copy


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No ordinary statement may take long."""
    monkeypatch.setattr(database_module, "COMMAND_TIMEOUT_S", TIMEOUT_S)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.xfail(strict=True, reason="A9: the statements' time limit holds for migrations, too")
async def test_a_migration_may_take_longer_than_a_statement_and_be_waited_for(
    empty_url: str, migrations: Path, processes: int
) -> None:
    (migrations / "9999_slow.sql").write_text(SLOW, encoding="utf-8")
    databases = [Database(lambda: empty_url) for _ in range(processes)]
    try:
        await asyncio.gather(*(database.connect() for database in databases))
    finally:
        await asyncio.gather(*(database.close() for database in databases))
    assert "9999_slow.sql" in await sql.applied_migrations(empty_url)


@pytest.mark.xfail(strict=True, reason="A9: migrations have no checksums")
async def test_a_migration_that_was_changed_after_it_was_applied_is_refused_in_one_line(
    empty_url: str, migrations: Path
) -> None:
    added = migrations / "9999_added.sql"
    added.write_text("create table added (id bigint);", encoding="utf-8")
    database = Database(lambda: empty_url)
    await database.connect()
    await database.close()
    added.write_text("create table added (id bigint, more bigint);", encoding="utf-8")
    try:
        with pytest.raises(StartupError, match="9999_added") as refusal:
            await database.connect()
    finally:
        await database.close()
    assert "\n" not in str(refusal.value)


@pytest.mark.xfail(strict=True, reason="A9: a newer schema is not noticed")
async def test_a_schema_newer_than_the_program_ends_the_start_in_one_line(
    fault_env: FaultEnv,
) -> None:
    await sql.be_of_a_newer_version(sql.url_of(fault_env), "9999_from_the_future.sql")
    bot = await fault_env.begin_start()
    assert await bot.ended(within=10) in (1, 2)
    assert "Traceback" not in bot.log
    assert "9999_from_the_future" in bot.lines[-1]
