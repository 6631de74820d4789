"""All SQL of the operator's view. It only reads, and each statement reads a page or a count whose
cost does not grow with the history; the caller owns the connection."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from domains.monitoring.models import LateClose, TicketLine, TimerContext

if TYPE_CHECKING:
    import asyncpg

    from domains.database import Connection

LOOK_BACK = 20_000
"""The last events in which late closes are looked for: most events tell of something else."""
TICKET = """t.id, t.guild_id, t.number, t.channel_id, t.subject, t.status,
    t.exclude_from_autoclose, t.attention"""
SETTLED = timedelta(seconds=1)
"""An event is counted once it is older: ids are given before their transactions commit."""


async def server_version(connection: Connection) -> str:
    return await connection.fetchval("select current_setting('server_version')")


async def applied_migrations(connection: Connection) -> set[str] | None:
    """None if nothing has been migrated ever."""
    if await connection.fetchval("select to_regclass('punctual.schema_migrations')") is None:
        return None
    records = await connection.fetch("select name from punctual.schema_migrations")
    return {record["name"] for record in records}


async def silence(connection: Connection) -> timedelta | None:
    """For how long no bot was here that is connected to Discord; None if none ever was."""
    if await connection.fetchval("select to_regclass('punctual.heartbeat')") is None:
        return None
    return await connection.fetchval("select clock_timestamp() - seen_at from punctual.heartbeat")


# --- how late


async def last_closes(connection: Connection, event: str, limit: int) -> Sequence[LateClose]:
    """The last timed closes, newest first: `expired` is the decision, `closed` the end."""
    records = await connection.fetch(
        """select recent.ticket_id, t.number, recent.at, recent.late_ms
           from (select id, ticket_id, at, late_ms, event from punctual.ticket_events
                 order by id desc limit $3) as recent
           join punctual.tickets t on t.id = recent.ticket_id
           where recent.late_ms is not null and recent.event = $1
           order by recent.id desc limit $2""",
        event,
        limit,
        LOOK_BACK,
    )
    return [LateClose(r["ticket_id"], r["number"], r["at"], r["late_ms"]) for r in records]


async def newest_event(connection: Connection) -> int:
    return await connection.fetchval("select coalesce(max(id), 0) from punctual.ticket_events")


async def closes_after(
    connection: Connection, event_id: int, limit: int
) -> tuple[int, Sequence[tuple[str, int]]]:
    """The last event that was looked at, and of the closes among them which event it was and how
    late."""
    records = await connection.fetch(
        """select id, event, late_ms from punctual.ticket_events
           where id > $1 and at <= clock_timestamp() - $3::interval order by id limit $2""",
        event_id,
        limit,
        SETTLED,
    )
    last = records[-1]["id"] if records else event_id
    return last, [(r["event"], r["late_ms"]) for r in records if r["late_ms"] is not None]


# --- what is due


async def timer_contexts(
    connection: Connection, ticket_ids: Sequence[int]
) -> Mapping[int, TimerContext]:
    """What a list of timers says of their tickets."""
    records = await connection.fetch(
        f"""select {TICKET}, r.requested_by_id, r.grace_at is not null as in_grace,
                   not exists (select from punctual.effects e
                               where e.ticket_id = t.id and e.subject_id = r.id
                                 and e.kind in ('ask', 'announce-grace')) as is_told
            from punctual.tickets t
            left join punctual.close_requests r on r.ticket_id = t.id and r.status = 'pending'
            where t.id = any($1::bigint[])""",
        list(ticket_ids),
    )
    return {
        record["id"]: TimerContext(
            _ticket_line(record), record["requested_by_id"], record["is_told"], record["in_grace"]
        )
        for record in records
    }


async def overdue_count(connection: Connection, overdue_for: timedelta, at_most: int) -> int:
    """Closes that nobody has begun."""
    return await connection.fetchval(
        """select count(*) from (
               select 1 from punctual.close_requests r
               join punctual.tickets t on t.id = r.ticket_id
               where r.auto_close_at <= now() - $1::interval and r.status = 'pending'
                 and t.status = 'open' and t.attention is null and not t.exclude_from_autoclose
                 and not exists (select from punctual.effects e
                                 where e.ticket_id = t.id and e.subject_id = r.id
                                   and e.kind in ('ask', 'announce-grace'))
               limit $2) as overdue""",
        overdue_for,
        at_most,
    )


# --- tickets


async def unclosed_count(connection: Connection, at_most: int) -> int:
    return await connection.fetchval(
        """select count(*) from (select 1 from punctual.tickets
                                 where status <> 'closed' limit $1) as unclosed""",
        at_most,
    )


def ticket_fields(record: asyncpg.Record) -> dict[str, Any]:
    """The fields of a TicketLine, out of the columns of `TICKET`."""
    attention = record["attention"]
    return {
        "id": record["id"],
        "guild_id": record["guild_id"],
        "number": record["number"],
        "channel_id": record["channel_id"],
        "subject": record["subject"],
        "status": record["status"],
        "excluded": record["exclude_from_autoclose"],
        "attention": None if attention is None else json.loads(attention),
    }


def _ticket_line(record: asyncpg.Record) -> TicketLine:
    return TicketLine(**ticket_fields(record), attention_since=record.get("attention_since"))


async def attention_count(connection: Connection) -> int:
    return await connection.fetchval(
        "select count(*) from punctual.tickets where attention is not null and status <> 'closed'"
    )


async def tickets_needing_attention(
    connection: Connection, limit: int, offset: int = 0
) -> Sequence[TicketLine]:
    """Whoever has waited longest comes first."""
    records = await connection.fetch(
        f"""select {TICKET}, (select max(e.at) from punctual.ticket_events e
                              where e.ticket_id = t.id and e.event = 'attention')
                             as attention_since
            from punctual.tickets t where t.attention is not null and t.status <> 'closed'
            order by attention_since nulls first, t.id limit $1 offset $2""",
        limit,
        offset,
    )
    return [_ticket_line(record) for record in records]


async def find_tickets(connection: Connection, number: int, limit: int) -> Sequence[TicketLine]:
    """Tickets that have this id, or this number in whichever guild; newest first."""
    records = await connection.fetch(
        f"""select {TICKET} from punctual.tickets t
            where t.id in (select id from punctual.tickets where id = $1
                           union (select id from punctual.tickets where number = $1
                                  order by id desc limit $2))
            order by t.id = $1 desc, t.id desc limit $2""",
        number,
        limit,
    )
    return [_ticket_line(record) for record in records]


# --- what Discord is still to be told


async def effect_counts(connection: Connection) -> Mapping[str, int]:
    """By what they wait for."""
    record = await connection.fetchrow(
        """select count(*) filter (where lease_until > clock_timestamp()) as in_progress,
                  count(*) filter (where failures > 0
                      and coalesce(lease_until, '-infinity') <= clock_timestamp()) as failed,
                  count(*) filter (where failures = 0
                      and coalesce(lease_until, '-infinity') <= clock_timestamp()) as waiting
           from punctual.effects"""
    )
    assert record is not None
    return dict(record)
