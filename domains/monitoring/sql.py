"""All SQL of the operator's view. It only reads, and each statement reads a page or a count whose
cost does not grow with the history; the caller owns the connection."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from domains.monitoring.models import Deadline, LateClose, TicketLine

if TYPE_CHECKING:
    import asyncpg

    from domains.database import Connection

LOOK_BACK = 20_000
"""The last events in which late closes are looked for: most events tell of something else."""
SETTLED = timedelta(seconds=1)
"""An event is counted once it is older: ids are given before their transactions commit."""


async def server_version(connection: Connection) -> str:
    return await connection.fetchval("select current_setting('server_version')")


async def applied_migrations(connection: Connection) -> set[str] | None:
    """None if nothing has been migrated ever."""
    if await connection.fetchval("select to_regclass('schema_migrations')") is None:
        return None
    records = await connection.fetch("select name from schema_migrations")
    return {record["name"] for record in records}


# --- how late


async def last_closes(connection: Connection, limit: int) -> Sequence[LateClose]:
    """The last timed closes, newest first."""
    records = await connection.fetch(
        """select ticket_id, at, late_ms
           from (select id, ticket_id, at, late_ms from ticket_events
                 order by id desc limit $2) as recent
           where late_ms is not null order by id desc limit $1""",
        limit,
        LOOK_BACK,
    )
    return [LateClose(record["ticket_id"], record["at"], record["late_ms"]) for record in records]


async def newest_event(connection: Connection) -> int:
    return await connection.fetchval("select coalesce(max(id), 0) from ticket_events")


async def closes_after(
    connection: Connection, event_id: int, limit: int
) -> tuple[int, Sequence[int]]:
    """The last event that was looked at, and how late the closes among the looked at were."""
    record = await connection.fetchrow(
        """select coalesce(max(id), $1) as last,
                  coalesce(array_agg(late_ms) filter (where late_ms is not null), '{}') as late
           from (select id, late_ms from ticket_events
                 where id > $1 and at <= clock_timestamp() - $3::interval
                 order by id limit $2) as looked_at""",
        event_id,
        limit,
        SETTLED,
    )
    assert record is not None
    return record["last"], record["late"]


# --- what is due


async def overdue_count(connection: Connection, overdue_for: timedelta, limit: int) -> int:
    return await connection.fetchval(
        """select count(*) from (
               select 1 from close_requests r join tickets t on t.id = r.ticket_id
               where r.auto_close_at <= now() - $1::interval and r.status = 'pending'
                 and r.announced and t.status = 'open' and t.attention is null
                 and not t.exclude_from_autoclose
               limit $2) as overdue""",
        overdue_for,
        limit,
    )


async def deadlines(connection: Connection, limit: int, offset: int = 0) -> Sequence[Deadline]:
    """Pending deadlines of all guilds, soonest first. The page is cut from the index of deadlines
    before anything is joined to it."""
    records = await connection.fetch(
        """select r.id as close_request_id, r.auto_close_at, r.requested_by_id, r.grace_at,
                  r.announced, t.*
           from (select * from close_requests
                 where status = 'pending' and auto_close_at is not null
                 order by auto_close_at, id limit $1 offset $2) as r
           join tickets t on t.id = r.ticket_id
           order by r.auto_close_at, r.id""",
        limit,
        offset,
    )
    return [
        Deadline(
            ticket=_ticket_line(record),
            close_request_id=record["close_request_id"],
            closes_at=record["auto_close_at"],
            requested_by_id=record["requested_by_id"],
            announced=record["announced"],
            in_grace=record["grace_at"] is not None,
        )
        for record in records
    ]


async def deadline_count(connection: Connection) -> int:
    """From the index of deadlines alone; a pending request's ticket is not looked at."""
    return await connection.fetchval(
        """select count(*) from close_requests
           where status = 'pending' and auto_close_at is not null"""
    )


async def deadlines_by_hour(connection: Connection, hours: int) -> Sequence[int]:
    """How many deadlines fall into this hour and each of the next."""
    records = await connection.fetch(
        """select floor(extract(epoch from auto_close_at - date_trunc('hour', now())) / 3600)::int
                      as hour,
                  count(*) as deadlines
           from close_requests
           where status = 'pending' and auto_close_at >= date_trunc('hour', now())
             and auto_close_at < date_trunc('hour', now()) + make_interval(hours => $1)
           group by 1""",
        hours,
    )
    counts = {record["hour"]: record["deadlines"] for record in records}
    return [counts.get(hour, 0) for hour in range(hours)]


# --- tickets


def _ticket_line(record: asyncpg.Record) -> TicketLine:
    return TicketLine(
        id=record["id"],
        guild_id=record["guild_id"],
        number=record["number"],
        channel_id=record["channel_id"],
        subject=record["subject"],
        status=record["status"],
        excluded=record["exclude_from_autoclose"],
        attention=record["attention"],
        attention_since=record.get("attention_since"),
    )


async def attention_count(connection: Connection) -> int:
    return await connection.fetchval(
        "select count(*) from tickets where attention is not null and status <> 'closed'"
    )


async def tickets_needing_attention(
    connection: Connection, limit: int, offset: int = 0
) -> Sequence[TicketLine]:
    """Whoever has waited longest comes first. (`attention_at` tells when it was last tried.)"""
    records = await connection.fetch(
        """select t.*, (select max(e.at) from ticket_events e
                        where e.ticket_id = t.id and e.event = 'attention') as attention_since
           from tickets t where t.attention is not null and t.status <> 'closed'
           order by attention_since nulls first, t.id limit $1 offset $2""",
        limit,
        offset,
    )
    return [_ticket_line(record) for record in records]


async def find_tickets(connection: Connection, number: int, limit: int) -> Sequence[TicketLine]:
    """Tickets that have this id, or this number in whichever guild; newest first."""
    records = await connection.fetch(
        """select * from tickets
           where id = $1 or id in (select id from tickets where number = $1 limit $2)
           order by id = $1 desc, id desc limit $2""",
        number,
        limit,
    )
    return [_ticket_line(record) for record in records]
