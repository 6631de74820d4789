"""The SELECTs of the timer kinds, asked in different ways. The caller owns the connection."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from domains.scheduled_task.timer import Timer

if TYPE_CHECKING:
    import asyncpg

    from domains.database import Connection


ONLY_THIS_PAGE = """select set_config(name, 'off', true) from unnest(array[
    'enable_sort', 'enable_bitmapscan', 'enable_hashjoin', 'enable_mergejoin']) as name"""
"""For this transaction: follow the index of the subjects, and look up the rest for each. A planner
without statistics, as after a restore, would read and sort all that follows for every page."""


class Wanted(NamedTuple):
    kind: str
    select: str


def _from_all(kinds: Sequence[Wanted]) -> str:
    """All kinds as one table."""
    return " union all ".join(
        f"select '{kind}' as kind, w.subject_id, w.owner_id, w.guild_id, w.due, w.payload "
        f"from ({select}) w"
        for kind, select in kinds
    )


def _timers(records: Sequence[asyncpg.Record]) -> list[Timer]:
    return [
        Timer(
            kind=record["kind"],
            subject_id=record["subject_id"],
            owner_id=record["owner_id"],
            guild_id=record["guild_id"],
            due=record["due"],
            payload=json.loads(record["payload"]),
        )
        for record in records
    ]


# --- for the scheduler


async def of_owners(
    connection: Connection, kinds: Sequence[Wanted], owner_ids: Sequence[int]
) -> list[Timer]:
    records = await connection.fetch(
        f"select * from ({_from_all(kinds)}) w where w.owner_id = any($1::bigint[])",
        list(owner_ids),
    )
    return _timers(records)


async def of_subjects(
    connection: Connection, kind: Wanted, subject_ids: Sequence[int]
) -> list[Timer]:
    records = await connection.fetch(
        f"select * from ({_from_all([kind])}) w where w.subject_id = any($1::bigint[])",
        list(subject_ids),
    )
    return _timers(records)


async def after(connection: Connection, kind: Wanted, subject_id: int, limit: int) -> list[Timer]:
    """A page of all, by subject; empty only after the last."""
    async with connection.transaction():
        await connection.execute(ONLY_THIS_PAGE)
        records = await connection.fetch(
            f"""select * from ({_from_all([kind])}) w where w.subject_id > $1
                order by w.subject_id limit $2""",
            subject_id,
            limit,
        )
    return _timers(records)


async def overdue(
    connection: Connection, kind: Wanted, overdue_for: timedelta, limit: int
) -> list[Timer]:
    """The most overdue first. (PostgreSQL uses no index for what is held against a clock that
    moves within a statement.)"""
    records = await connection.fetch(
        f"""select * from ({_from_all([kind])}) w
            where w.due <= statement_timestamp() - $1::interval
            order by w.due limit $2""",
        overdue_for,
        limit,
    )
    return _timers(records)


# --- for firing


async def lock_owner(
    connection: Connection, kind: Wanted, owner_table: str, subject_id: int
) -> list[int]:
    """The subject again, once its owner is locked; or nothing, if it has no timer."""
    records = await connection.fetch(
        f"""select w.subject_id from {owner_table} o
            join ({kind.select}) w on w.owner_id = o.id
            where w.subject_id = $1 for no key update of o""",
        subject_id,
    )
    return [record["subject_id"] for record in records]


async def lock_due(connection: Connection, kind: Wanted, owner_table: str, limit: int) -> list[int]:
    """Subjects that are due and that nobody else is at; their owners are locked."""
    records = await connection.fetch(
        f"""select w.subject_id from {owner_table} o
            join ({kind.select}) w on w.owner_id = o.id
            where w.due <= statement_timestamp()
            order by w.due limit $1 for no key update of o skip locked""",
        limit,
    )
    return [record["subject_id"] for record in records]


# --- for people


async def of_guild(
    connection: Connection, kinds: Sequence[Wanted], guild_id: int, limit: int, offset: int
) -> tuple[list[Timer], int]:
    """A page of a guild's timers, soonest first, and how many there are in all."""
    records = await connection.fetch(
        f"""select w.*, count(*) over () as total from ({_from_all(kinds)}) w
            where w.guild_id = $1 order by w.due, w.kind, w.subject_id limit $2 offset $3""",
        guild_id,
        limit,
        offset,
    )
    return _timers(records), records[0]["total"] if records else 0


async def tickets_of_guild(
    connection: Connection, kinds: Sequence[Wanted], guild_id: int, limit: int, offset: int
) -> tuple[list[int], int]:
    """A page of a guild's tickets that need a person, and then of those that have a timer, soonest
    first; and how many there are in all. The kinds' owners are tickets."""
    records = await connection.fetch(
        f"""select t.id, count(*) over () as total
            from punctual.tickets t
            left join (select w.owner_id, min(w.due) as due from ({_from_all(kinds)}) w
                       where w.guild_id = $1 group by w.owner_id) timer on timer.owner_id = t.id
            where t.guild_id = $1 and t.status <> 'closed'
              and (t.attention is not null or timer.due is not null)
            order by t.attention is null, timer.due, t.id limit $2 offset $3""",
        guild_id,
        limit,
        offset,
    )
    return [record["id"] for record in records], records[0]["total"] if records else 0


async def soonest(
    connection: Connection, kinds: Sequence[Wanted], limit: int, offset: int
) -> list[Timer]:
    """A page of all timers of all guilds. Each kind's page is cut before they are mixed."""
    parts = " union all ".join(
        f"(select * from ({_from_all([kind])}) w order by w.due, w.subject_id limit $1)"
        for kind in kinds
    )
    records = await connection.fetch(
        f"select * from ({parts}) w order by w.due, w.kind, w.subject_id limit $2 offset $3",
        limit + offset,
        limit,
        offset,
    )
    return _timers(records)


async def count(connection: Connection, kinds: Sequence[Wanted]) -> int:
    return await connection.fetchval(f"select count(*) from ({_from_all(kinds)}) w")


async def due_counts(
    connection: Connection, kinds: Sequence[Wanted], times: Sequence[datetime]
) -> list[int]:
    records = await connection.fetch(
        f"""select width_bucket(w.due, $1::timestamptz[]) as place, count(*) as timers
            from ({_from_all(kinds)}) w where w.due >= $2 and w.due < $3 group by 1""",
        list(times),
        times[0],
        times[-1],
    )
    counts = {record["place"]: record["timers"] for record in records}
    return [counts.get(place, 0) for place in range(1, len(times))]
