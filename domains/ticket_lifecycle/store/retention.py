"""What is old enough to go, and when it is looked for next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from domains.ticket_lifecycle.store import figures

if TYPE_CHECKING:
    from domains.database import Connection

NEXT_NIGHT = """(date_trunc('day', now() at time zone 'UTC' - interval '3 hours 30 minutes')
    + interval '1 day 3 hours 30 minutes') at time zone 'UTC'"""


# --- when


async def plan(connection: Connection, *, keeps_for_days: bool) -> None:
    """Have it looked tonight, if there can be anything to find; never later than planned."""
    await connection.execute(
        f"""insert into punctual.cleanup as c (due_at)
            select {NEXT_NIGHT}
            where $1 or exists (select from punctual.guild_settings where left_at is not null)
            on conflict (id) do update set due_at = least(c.due_at, excluded.due_at)""",
        keeps_for_days,
    )


async def plan_soon(connection: Connection, within: timedelta) -> None:
    await connection.execute(
        """insert into punctual.cleanup as c (due_at)
           values (date_trunc('second', now() + $1::interval))
           on conflict (id) do update set due_at = least(c.due_at, excluded.due_at)""",
        within,
    )


async def postpone(connection: Connection, by: timedelta) -> None:
    """Somebody is at it: nobody else needs to look for so long."""
    await connection.execute(
        "update punctual.cleanup set due_at = date_trunc('second', now() + $1::interval)", by
    )


async def finish(connection: Connection, *, keeps_for_days: bool) -> None:
    """All was looked at. It comes again, if it can find anything."""
    await connection.execute(
        f"""update punctual.cleanup set due_at = case
                when $1 or exists (select from punctual.erasures)
                     or exists (select from punctual.guild_settings where left_at is not null)
                then {NEXT_NIGHT} end""",
        keeps_for_days,
    )


# --- old tickets


async def ended_before(
    connection: Connection, guild_id: int, ticket_ids: Sequence[int], age: timedelta
) -> Sequence[int]:
    """Which of these were closed longer ago than that."""
    records = await connection.fetch(
        """select id from punctual.tickets
           where id = any($1::bigint[]) and guild_id = $2 and status = 'closed'
             and closed_at < now() - $3::interval order by id""",
        list(ticket_ids),
        guild_id,
        age,
    )
    return [record["id"] for record in records]


async def old_tickets(
    connection: Connection, age: timedelta, after: tuple[datetime, int] | None, limit: int
) -> Sequence[tuple[int, int, datetime]]:
    """(ticket, guild, closed at) of those that were closed longer ago, oldest first."""
    records = await connection.fetch(
        """select id, guild_id, closed_at from punctual.tickets
           where status = 'closed' and closed_at < now() - $1::interval
             and (closed_at, id) > (coalesce($2, '-infinity'::timestamptz), $3::bigint)
           order by closed_at, id limit $4""",
        age,
        after[0] if after else None,
        after[1] if after else 0,
        limit,
    )
    return [(record["id"], record["guild_id"], record["closed_at"]) for record in records]


async def count_old_tickets(connection: Connection, age: timedelta) -> int:
    return await connection.fetchval(
        """select count(*) from punctual.tickets
           where status = 'closed' and closed_at < now() - $1::interval""",
        age,
    )


async def delete_tickets(connection: Connection, ticket_ids: Sequence[int]) -> int:
    """With all that hangs on them. Their numbers are not given again, and figures stay."""
    ids = list(ticket_ids)
    await figures.keep(connection, ids)
    await connection.execute(
        """insert into punctual.guild_settings as g (guild_id, last_number)
           select guild_id, max(number) from punctual.tickets
           where id = any($1::bigint[]) and status = 'closed' group by guild_id order by guild_id
           on conflict (guild_id) do update
               set last_number = greatest(g.last_number, excluded.last_number)""",
        ids,
    )
    return await connection.fetchval(
        """with gone as (delete from punctual.tickets
                         where id = any($1::bigint[]) and status = 'closed' returning 1)
           select count(*) from gone""",
        ids,
    )


# --- servers that the bot has left


async def note_left(connection: Connection, guild_id: int) -> None:
    await connection.execute(
        """insert into punctual.guild_settings as g (guild_id, left_at) values ($1, now())
           on conflict (guild_id) do update set left_at = coalesce(g.left_at, now())""",
        guild_id,
    )


async def note_present(connection: Connection, guild_ids: Sequence[int]) -> None:
    await connection.execute(
        """update punctual.guild_settings set left_at = null
           where guild_id = any($1::bigint[]) and left_at is not null""",
        list(guild_ids),
    )


async def known_guilds(connection: Connection) -> Sequence[int]:
    """All of which there is anything, and which are not known to have been left. Goes from guild
    to guild, however many tickets they have."""
    records = await connection.fetch(
        """with recursive with_tickets (guild_id) as (
               (select guild_id from punctual.tickets order by guild_id limit 1)
               union all
               select (select t.guild_id from punctual.tickets t
                       where t.guild_id > w.guild_id order by t.guild_id limit 1)
               from with_tickets w where w.guild_id is not null)
           (select guild_id from punctual.guild_settings where left_at is null)
           union (select guild_id from with_tickets w
                  where guild_id is not null
                    and not exists (select from punctual.guild_settings g
                                    where g.guild_id = w.guild_id and g.left_at is not null))"""
    )
    return [record["guild_id"] for record in records]


async def left_guilds(connection: Connection, age: timedelta) -> Sequence[int]:
    """Left longer ago than that."""
    records = await connection.fetch(
        """select guild_id from punctual.guild_settings
           where left_at < now() - $1::interval order by left_at""",
        age,
    )
    return [record["guild_id"] for record in records]


async def lock_left(connection: Connection, guild_id: int) -> bool:
    """Whether it is still left; nobody can come back until the transaction ends."""
    return bool(
        await connection.fetchval(
            """select true from punctual.guild_settings
               where guild_id = $1 and left_at is not null for update""",
            guild_id,
        )
    )


async def tickets_of_guild(connection: Connection, guild_id: int, limit: int) -> Sequence[int]:
    records = await connection.fetch(
        """select id from punctual.tickets where guild_id = $1 and status = 'closed'
           order by id limit $2""",
        guild_id,
        limit,
    )
    return [record["id"] for record in records]


async def delete_guild(connection: Connection, guild_id: int) -> None:
    """What is left when its closed tickets are gone, whichever table it is in: all of a server's
    rows carry its id."""
    tables = await connection.fetch(
        """select quote_ident(c.table_name) as name from information_schema.columns c
           join information_schema.tables t using (table_schema, table_name)
           where c.table_schema = 'punctual' and c.column_name = 'guild_id'
             and t.table_type = 'BASE TABLE' and c.table_name <> 'tickets' order by 1"""
    )
    for table in tables:
        await connection.execute(
            f"delete from punctual.{table['name']} where guild_id = $1", guild_id
        )
