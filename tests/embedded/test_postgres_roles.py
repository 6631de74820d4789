"""The bot owns its database and is no superuser, whichever version made it."""

from pathlib import Path

import asyncpg
import pytest

from domains.database import Database
from embedded import EmbeddedServers, postgres
from embedded.postgres import INITDB_OPTIONS, Postgres


async def _is_superuser(url: str) -> bool:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("select current_setting('is_superuser') = 'on'")
    finally:
        await connection.close()


async def _migrate(url: str) -> None:
    database = Database(lambda: url)
    await database.connect()
    await database.close()


async def test_the_bot_is_no_superuser_and_has_all_it_needs(data_dir: Path) -> None:
    async with EmbeddedServers(data_dir, valkey=False, durable=False) as servers:
        assert not await _is_superuser(servers.database_url)
        assert await _is_superuser(servers.superuser_url)
        await _migrate(servers.database_url)
        connection = await asyncpg.connect(servers.database_url)
        try:
            for forbidden in (
                "copy punctual.tickets to program 'true'",
                "create role another superuser",
                "select pg_read_file('/etc/passwd')",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(forbidden)
        finally:
            await connection.close()


@pytest.fixture
async def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What older versions made: `bot` began it all and is the superuser, with a table and more."""
    data_dir = tmp_path / "data"

    async def ensure_database(*_: object) -> None: ...

    with monkeypatch.context() as as_it_was:
        as_it_was.setattr(postgres, "INITDB_OPTIONS", ("--username=bot", *INITDB_OPTIONS[1:]))
        as_it_was.setattr(postgres, "require_roles", ensure_database)
        as_it_was.setattr(
            Postgres, "_superuser_password_file", property(lambda _: data_dir / "postgres.password")
        )
        async with EmbeddedServers(data_dir, valkey=False, durable=False) as servers:
            url = servers.database_url
            connection = await asyncpg.connect(url.replace("/punctual?", "/template1?"))
            await connection.execute("alter database postgres rename to punctual")
            await connection.close()
            await _migrate(url)
            connection = await asyncpg.connect(url)
            await connection.execute(
                """create type punctual.mood as enum ('calm');
                   create view punctual.view as select 1;
                   create function punctual.one() returns int language sql as 'select 1';
                   create sequence punctual.sequence;
                   create table public.other (id bigint generated always as identity)"""
            )
            assert await _is_superuser(url)
            await connection.close()
    return data_dir


async def test_the_bot_of_an_older_version_is_a_superuser_no_more(older: Path) -> None:
    for _ in range(2):
        async with EmbeddedServers(older, valkey=False, durable=False) as servers:
            assert not await _is_superuser(servers.database_url)
            await _migrate(servers.database_url)
            connection = await asyncpg.connect(servers.database_url)
            try:
                not_the_bots = await connection.fetch(
                    """select relname from pg_class c join pg_namespace n on n.oid = relnamespace
                       where nspname in ('punctual', 'public')
                         and relowner <> current_user::regrole"""
                )
                assert not_the_bots == []
                async with connection.transaction():
                    await connection.execute(
                        """alter table punctual.tickets add column new int;
                           alter type punctual.mood add value 'cross';
                           drop view punctual.view; drop function punctual.one();
                           drop sequence punctual.sequence; drop table public.other;
                           create table punctual.another (); create table public.another ()"""
                    )
                    raise asyncpg.PostgresError  # and back
            except asyncpg.PostgresError as error:
                assert type(error) is asyncpg.PostgresError, error
            finally:
                await connection.close()
