"""Who may do what in the embedded PostgreSQL: the bot owns its database, and is no superuser."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

BOT = "bot"
DATABASE = "punctual"
SUPERUSER = "postgres"
_FORMER_SUPERUSER = "bot_of_an_older_version"

_GIVE_TO_BOT = """
do $$
declare
    command text;
begin
    for command in
        select format('alter schema %I owner to bot', nspname)
        from pg_namespace where nspname = 'punctual'
        union all
        select format('alter %s %s owner to bot',
                      case relkind when 'S' then 'sequence' when 'v' then 'view'
                                   when 'm' then 'materialized view' else 'table' end,
                      oid::regclass)
        from pg_class
        where relnamespace in (select oid from pg_namespace
                               where nspname in ('punctual', 'public'))
          and relowner = 10 and relkind in ('r', 'p', 'v', 'm', 'S')
          and not exists (select from pg_depend where objid = pg_class.oid
                          and classid = 'pg_class'::regclass and deptype in ('a', 'i', 'e'))
        union all
        select format('alter routine %s owner to bot', oid::regprocedure)
        from pg_proc
        where pronamespace in (select oid from pg_namespace
                               where nspname in ('punctual', 'public'))
          and proowner = 10
          and not exists (select from pg_depend where objid = pg_proc.oid
                          and classid = 'pg_proc'::regclass and deptype = 'e')
        union all
        select format('alter type %s owner to bot', oid::regtype)
        from pg_type
        where typnamespace in (select oid from pg_namespace
                               where nspname in ('punctual', 'public'))
          and typowner = 10 and typtype in ('e', 'd')
    loop
        execute command;
    end loop;
end $$
"""
"""What the bot made while it was the superuser with whom everything began, whose id is 10."""


async def require_roles(
    bot_url: Callable[[str], str],
    superuser_url: Callable[[str], str],
    bot_password: str,
    superuser_password: str,
) -> None:
    """See that the bot can use its database, and can do nothing else. Both passwords are of our own
    making. Raises PostgresError."""
    bot_is_superuser = False
    try:
        async with _connected(bot_url(DATABASE)) as connection:
            bot_is_superuser = await connection.fetchval(
                "select rolsuper from pg_roles where rolname = current_user"
            )
            if not bot_is_superuser:
                return
            await _make_superuser(connection, superuser_password)
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidCatalogNameError):
        pass  # the first start: neither is there
    async with _connected(superuser_url("template1")) as connection:
        if not await connection.fetchval(
            "select exists (select from pg_database where datname = $1)", DATABASE
        ):
            # The empty one that initdb made: 1 ms, where CREATE takes 280.
            await connection.execute(f"alter database postgres rename to {DATABASE}")
    async with _connected(superuser_url(DATABASE)) as connection, connection.transaction():
        if bot_is_superuser:
            # Who began it all stays a superuser, but nobody logs in as that one any more.
            await connection.execute(f"alter role {BOT} rename to {_FORMER_SUPERUSER}")
            await connection.execute(f"alter role {_FORMER_SUPERUSER} nologin password null")
        await connection.execute(f"create role {BOT} login password '{bot_password}'")
        await connection.execute(f"alter database {DATABASE} owner to {BOT}")
        await connection.execute(_GIVE_TO_BOT)


async def _make_superuser(connection: Connection, password: str) -> None:
    exists = await connection.fetchval(
        "select exists (select from pg_roles where rolname = $1)", SUPERUSER
    )
    await connection.execute(
        f"{'alter' if exists else 'create'} role {SUPERUSER} superuser login password '{password}'"
    )


@asynccontextmanager
async def _connected(url: str) -> AsyncGenerator[Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()
