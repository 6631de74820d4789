"""All that these tests ask of PostgreSQL and change there: the one place that knows tables."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

import asyncpg

APPLICATION = "punctual"
"""The name that the bot's connections give."""
MOST_COLUMNS = 1_000
"""PostgreSQL allows 1,600."""


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


class Sql:
    def __init__(self, url: str) -> None:
        self.url = url

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[asyncpg.Connection[asyncpg.Record]]:
        """It may write even where the server's default is that nobody may."""
        settings = {"search_path": "punctual", "default_transaction_read_only": "off"}
        connection = await asyncpg.connect(self.url, server_settings=settings)
        try:
            yield connection
        finally:
            await connection.close()

    async def value(self, query: str, *values: object) -> object:
        async with self.connection() as connection:
            return await connection.fetchval(query, *values)

    async def number(self, query: str, *values: object) -> int:
        found = await self.value(query, *values)
        assert isinstance(found, int)
        return found

    async def execute(self, statement: str, *values: object) -> None:
        async with self.connection() as connection:
            await connection.execute(statement, *values)

    # --- tickets

    async def ticket_id(self, channel_id: int) -> int:
        return await self.number("select id from tickets where channel_id = $1", channel_id)

    async def ticket_status(self, channel_id: int) -> object:
        return await self.value("select status from tickets where channel_id = $1", channel_id)

    async def attention(self) -> int:
        """How many tickets need a person."""
        return await self.number("select count(*) from tickets where attention is not null")

    async def latest_request(self, channel_id: int) -> Request:
        async with self.connection() as connection:
            found = await connection.fetchrow(
                """select r.id, r.ticket_id, r.status, r.auto_close_at, r.resolved_at
                   from close_requests r join tickets t on t.id = r.ticket_id
                   where t.channel_id = $1 order by r.id desc limit 1""",
                channel_id,
            )
        assert found is not None
        return Request(**found)

    async def request_status(self, channel_id: int) -> str:
        return (await self.latest_request(channel_id)).status

    async def add_timed(
        self,
        guild_id: int,
        channel_ids: Sequence[int],
        seconds_from_now: float,
        *,
        read: bool = True,
    ) -> None:
        """An open ticket in each of these channels, whose opener was asked and has this long. What
        was not read until now has to be, before it is decided."""
        await self.execute(
            """with opened as (
                   insert into tickets (guild_id, number, channel_id, opener_id, subject)
                   select $1, 1000 + place, channel, 7000 + place, 'It is broken'
                   from unnest($2::bigint[]) with ordinality as given (channel, place)
                   returning id)
               insert into close_requests
                   (ticket_id, requested_by_id, auto_close_at, message_id, read_at)
               select id, 1, date_trunc('milliseconds', now() + $3 * interval '1 second'), 1,
                      case when $4 then now() end
               from opened""",
            guild_id,
            list(channel_ids),
            seconds_from_now,
            read,
        )

    async def add_open(self, guild_id: int, tickets: int) -> None:
        """Nobody has asked to close them."""
        await self.execute(
            """insert into tickets (guild_id, number, channel_id, opener_id, subject)
               select $1, 300000 + n, 300000 + n, 7000 + n, 'It is broken'
               from generate_series(1, $2::int) n""",
            guild_id,
            tickets,
        )

    async def add_history(self, guild_id: int, tickets: int) -> None:
        """Closed tickets, each of which was closed by its timer."""
        await self.execute(
            """with closed as (
                   insert into tickets (guild_id, number, channel_id, opener_id, subject, status,
                                        closed_at)
                   select $1, 100000 + n, 900000 + n, 7000 + n, 'It is broken', 'closed', now()
                   from generate_series(1, $2::int) n returning id)
               insert into ticket_events (ticket_id, guild_id, event, late_ms)
               select id, $1, 'expired', 5 from closed""",
            guild_id,
            tickets,
        )

    async def multiply(self, ticket_id: int, times: int) -> None:
        """So many more tickets to which the same has happened, whatever columns there are."""
        first = await self.number("select max(id) + 1 from tickets")
        changes = """jsonb_build_object('id', n, 'number', 500000 + n, 'channel_id', 900000 + n,
                                        'opener_id', 7000 + n)"""
        copies = [("tickets", "id", changes)]
        changes = "jsonb_build_object('id', row.id + 10 * n, 'ticket_id', n)"
        copies += [(table, "ticket_id", changes) for table in ("close_requests", "effects")]
        for table, key, changed in copies:
            await self.execute(
                f"""insert into {table} select (jsonb_populate_record(row, {changed})).*
                    from {table} row, generate_series($2::bigint, $2::bigint + $3::bigint - 1) n
                    where row.{key} = $1""",
                ticket_id,
                first,
                times,
            )
            await self.execute(
                f"select setval(pg_get_serial_sequence('{table}', 'id'), max(id)) from {table}"
            )

    async def forget_tickets(self) -> None:
        """As restored from a backup that was made before the first of them."""
        await self.execute("truncate tickets restart identity cascade")

    async def forget_everything(self) -> None:
        """As made anew: the tables are gone, too."""
        await self.execute("drop schema punctual cascade")

    async def silent_for(self, seconds: float) -> None:
        """As if no bot had been alive for so long."""
        await self.execute(
            "update heartbeat set seen_at = seen_at - $1 * interval '1 second'", seconds
        )

    async def last_heartbeat(self) -> datetime:
        found = await self.value("select max(seen_at) from heartbeat")
        assert isinstance(found, datetime)
        return found

    # --- what other programs do to the database

    @asynccontextmanager
    async def empty_database(self, name: str) -> AsyncGenerator[Sql]:
        """Without even the tables: who connects first makes them."""
        await self.execute(f"create database {name}")
        try:
            yield Sql(urlunsplit(urlsplit(self.url)._replace(path=f"/{name}")))
        finally:
            await self.execute(f"drop database {name} with (force)")

    async def applied_migrations(self) -> set[str]:
        async with self.connection() as connection:
            return {
                row["name"] for row in await connection.fetch("select name from schema_migrations")
            }

    async def be_of_a_newer_version(self, migration: str) -> None:
        await self.execute("insert into schema_migrations (name) values ($1)", migration)

    async def keep_adding_columns(self) -> None:
        """As a newer version's migration does while this one runs, again and again, so that one of
        them falls into each moment."""
        async with self.connection() as connection:
            for number in range(MOST_COLUMNS):
                for table in ("tickets", "close_requests", "guild_settings"):
                    await connection.execute(f"alter table {table} add column added_{number} text")
                await asyncio.sleep(0.02)

    @asynccontextmanager
    async def locked(self, table: str, mode: str) -> AsyncGenerator[None]:
        """In `exclusive` mode it can be read, and whoever wants to change something waits."""
        async with self.connection() as connection, connection.transaction():
            await connection.execute(f"lock table {table} in {mode} mode")
            yield

    @asynccontextmanager
    async def read_only(self) -> AsyncGenerator[None]:
        await self.execute("alter system set default_transaction_read_only = on")
        try:
            await self.execute("select pg_reload_conf()")
            yield
        finally:
            await self.execute("alter system reset default_transaction_read_only")
            await self.execute("select pg_reload_conf()")

    # --- what the bot does to PostgreSQL

    async def tidy(self) -> None:
        """No dead rows, and the planner knows what there is."""
        await self.execute("vacuum analyze")

    async def rows_read(self) -> int:
        """From tickets and what belongs to them, by whatever way, since the database was made.
        PostgreSQL's sessions tell of it with a delay of a second."""
        return await self.number(
            """select (sum(t.seq_tup_read) + sum(coalesce(i.read, 0)))::bigint
               from pg_stat_user_tables t left join (
                   select relid, sum(greatest(idx_tup_read, idx_tup_fetch)) as read
                   from pg_stat_user_indexes group by relid) i on i.relid = t.relid
               where t.relname in ('tickets', 'close_requests', 'ticket_events', 'effects')"""
        )

    async def rows_read_when_idle(self, enough: int) -> int:
        """In the quietest of a few times of seven seconds: what is done every five is in each of
        them; a reconciliation is not, nor what a session tells long after it. The first with less
        than `enough` will do."""
        await asyncio.sleep(2)
        quietest = await self._rows_read_in(7)
        for _ in range(4):
            if quietest >= enough:
                quietest = min(quietest, await self._rows_read_in(7))
        return quietest

    async def _rows_read_in(self, seconds: float) -> int:
        before = await self.rows_read()
        await asyncio.sleep(seconds)
        return await self.rows_read() - before

    async def locks_held(self) -> int:
        """Advisory locks in this database, and transactions of the bot's that wait for it."""
        return await self.number(
            """select (select count(*) from pg_locks l join pg_database d on d.oid = l.database
                       where l.locktype = 'advisory' and d.datname = current_database())
                    + (select count(*) from pg_stat_activity
                       where datname = current_database() and application_name = $1
                         and state = 'idle in transaction')""",
            APPLICATION,
        )
