"""All SQL of the tests of A14 to A26, on connections that find the tables in either schema."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg

SEARCH_PATH = "punctual,public"
APPLICATION = "punctual"
"""The name that the bot's connections give."""


class Sql:
    def __init__(self, url: str) -> None:
        self._url = url

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[asyncpg.Connection[asyncpg.Record]]:
        """It may write even where the server's default is that nobody may."""
        settings = {"search_path": SEARCH_PATH, "default_transaction_read_only": "off"}
        connection = await asyncpg.connect(self._url, server_settings=settings)
        try:
            yield connection
        finally:
            await connection.close()

    async def rows(self, query: str, *values: object) -> list[asyncpg.Record]:
        async with self.connection() as connection:
            return await connection.fetch(query, *values)

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

    async def request_status(self, channel_id: int) -> object:
        """Of the ticket's latest request."""
        return await self.value(
            """select r.status from close_requests r join tickets t on t.id = r.ticket_id
               where t.channel_id = $1 order by r.id desc limit 1""",
            channel_id,
        )

    async def deadline(self, channel_id: int) -> datetime:
        found = await self.value(
            """select r.auto_close_at from close_requests r join tickets t on t.id = r.ticket_id
               where t.channel_id = $1 and r.status = 'pending'""",
            channel_id,
        )
        assert isinstance(found, datetime)
        return found

    async def now(self) -> datetime:
        found = await self.value("select clock_timestamp()")
        assert isinstance(found, datetime)
        return found

    async def add_timed(
        self, guild_id: int, channel_ids: Sequence[int], seconds_from_now: float
    ) -> None:
        """An open ticket in each of these channels, whose opener was asked and has this long."""
        await self.execute(
            """with opened as (
                   insert into tickets (guild_id, number, channel_id, opener_id, subject)
                   select $1, 1000 + place, channel, 7000 + place, 'It is broken'
                   from unnest($2::bigint[]) with ordinality as given (channel, place)
                   returning id)
               insert into close_requests (ticket_id, requested_by_id, auto_close_at, message_id)
               select id, 1, date_trunc('milliseconds', now() + $3 * interval '1 second'), 1
               from opened""",
            guild_id,
            list(channel_ids),
            seconds_from_now,
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

    async def multiply(self, ticket_id: int, times: int) -> None:
        """So many more tickets to which the same has happened: whatever columns there are."""
        first = await self.number("select max(id) + 1 from tickets")
        await self.execute(
            """insert into tickets
               select (jsonb_populate_record(t, jsonb_build_object(
                   'id', n, 'number', 500000 + n, 'channel_id', 900000 + n,
                   'opener_id', 7000 + n))).*
               from tickets t, generate_series($2::bigint, $2::bigint + $3::bigint - 1) n
               where t.id = $1""",
            ticket_id,
            first,
            times,
        )
        for table in ("close_requests", "effects"):
            if await self._has_column(table, "ticket_id"):
                await self.execute(
                    f"""insert into {table}
                        select (jsonb_populate_record(r, jsonb_build_object(
                            'id', r.id + 10 * n, 'ticket_id', n))).*
                        from {table} r, generate_series($2::bigint, $2::bigint + $3::bigint - 1) n
                        where r.ticket_id = $1 on conflict do nothing""",
                    ticket_id,
                    first,
                    times,
                )
        for table in ("tickets", "close_requests"):
            await self.execute(
                f"select setval(pg_get_serial_sequence('{table}', 'id'), max(id)) from {table}"
            )

    async def add_history(self, guild_id: int, tickets: int) -> None:
        """Closed tickets, each of which was closed by its timer."""
        await self.execute(
            """insert into tickets (guild_id, number, channel_id, opener_id, subject, status,
                                    closed_at)
               select $1, 100000 + n, 900000 + n, 7000 + n, 'It is broken', 'closed', now()
               from generate_series(1, $2::int) n""",
            guild_id,
            tickets,
        )
        for_guild = ", guild_id" if await self._has_column("ticket_events", "guild_id") else ""
        await self.execute(
            f"""insert into ticket_events (ticket_id, event, late_ms{for_guild})
                select id, 'expired', 5{for_guild} from tickets where guild_id = $1""",
            guild_id,
        )

    async def _has_column(self, table: str, column: str) -> bool:
        return bool(
            await self.value(
                """select exists (select from information_schema.columns
                       where table_name = $1 and column_name = $2)""",
                table,
                column,
            )
        )

    async def silent_for(self, seconds: float) -> None:
        """As if no bot had been alive for so long."""
        await self.execute(
            "update heartbeat set seen_at = seen_at - $1 * interval '1 second'", seconds
        )

    async def last_pulse(self) -> datetime:
        found = await self.value("select max(seen_at) from heartbeat")
        assert isinstance(found, datetime)
        return found

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

    async def rows_read_in(self, seconds: float) -> int:
        before = await self.rows_read()
        await asyncio.sleep(seconds)
        return await self.rows_read() - before

    async def rows_read_when_idle(self, enough: int) -> int:
        """In the quietest of a few times of seven seconds: what is done every five is in each of
        them, and a reconciliation is not. The first with less than `enough` will do."""
        await asyncio.sleep(2)
        quietest = await self.rows_read_in(7)
        for _ in range(2):
            if quietest >= enough:
                quietest = min(quietest, await self.rows_read_in(7))
        return quietest
