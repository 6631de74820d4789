"""`close_requests`: at most one pending a ticket."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from domains.ticket_lifecycle.missed_messages import Missed
from domains.ticket_lifecycle.models import CloseRequest, RequestStatus, Ticket, TimedTicket
from domains.ticket_lifecycle.store.rows import REQUEST, TICKET, read, read_one

if TYPE_CHECKING:
    from domains.database import Connection


async def get(connection: Connection, close_request_id: int) -> CloseRequest | None:
    record = await connection.fetchrow(
        f"select {REQUEST} from punctual.close_requests r where r.id = $1", close_request_id
    )
    return read_one(CloseRequest, record)


async def latest(connection: Connection, ticket_id: int) -> CloseRequest | None:
    """The pending one, else the last."""
    record = await connection.fetchrow(
        f"""select {REQUEST} from punctual.close_requests r where r.ticket_id = $1
            order by r.status = 'pending' desc, r.id desc limit 1""",
        ticket_id,
    )
    return read_one(CloseRequest, record)


async def pending(connection: Connection, ticket_id: int) -> CloseRequest | None:
    record = await connection.fetchrow(
        f"""select {REQUEST} from punctual.close_requests r
            where r.ticket_id = $1 and r.status = 'pending'""",
        ticket_id,
    )
    return read_one(CloseRequest, record)


async def insert(
    connection: Connection,
    ticket_id: int,
    requested_by_id: int,
    reason: str | None,
    delay: timedelta | None,
) -> CloseRequest:
    """The deadline is PostgreSQL's own time, in whole milliseconds as the job's key has it."""
    record = await connection.fetchrow(
        f"""insert into punctual.close_requests as r
                (ticket_id, requested_by_id, reason, auto_close_at)
            values ($1, $2, $3, date_trunc('milliseconds', now() + $4::interval))
            returning {REQUEST}""",
        ticket_id,
        requested_by_id,
        reason,
        delay,
    )
    assert record is not None
    return read(CloseRequest, record)


async def set_asked(
    connection: Connection, close_request_id: int, message_id: int, asking_for: timedelta
) -> CloseRequest | None:
    """The opener has been asked, by a message that we began to post so long ago: what they have
    written since then is read, or heard."""
    record = await connection.fetchrow(
        f"""update punctual.close_requests r
            set message_id = $2, read_at = clock_timestamp() - $3::interval
            where r.id = $1 returning {REQUEST}""",
        close_request_id,
        message_id,
        asking_for,
    )
    return read_one(CloseRequest, record)


async def set_extension_message(
    connection: Connection, close_request_id: int, message_id: int
) -> None:
    await connection.execute(
        "update punctual.close_requests set extension_message_id = $2 where id = $1",
        close_request_id,
        message_id,
    )


async def set_reminder_message(
    connection: Connection, close_request_id: int, message_id: int
) -> None:
    await connection.execute(
        "update punctual.close_requests set reminder_message_id = $2 where id = $1",
        close_request_id,
        message_id,
    )


async def restart_deadline(connection: Connection, close_request_id: int) -> CloseRequest | None:
    """Give the full delay anew to a request that the opener has not been shown yet."""
    record = await connection.fetchrow(
        f"""update punctual.close_requests r set requested_at = now(), auto_close_at =
                   date_trunc('milliseconds', now() + (r.auto_close_at - r.requested_at))
            where r.id = $1 and r.status = 'pending' and r.message_id is null
            returning {REQUEST}""",
        close_request_id,
    )
    return read_one(CloseRequest, record)


async def move_deadline(
    connection: Connection, close_request_id: int, at_least_from_now: timedelta
) -> CloseRequest | None:
    """Move the deadline of a pending request to at least so far from now."""
    record = await connection.fetchrow(
        f"""update punctual.close_requests r set auto_close_at =
                   greatest(r.auto_close_at, date_trunc('milliseconds', now() + $2::interval))
            where r.id = $1 and r.status = 'pending' and r.auto_close_at is not null
            returning {REQUEST}""",
        close_request_id,
        at_least_from_now,
    )
    return read_one(CloseRequest, record)


async def extend_deadline(
    connection: Connection,
    close_request_id: int,
    by: timedelta,
    at_most: int | None,
    latest: timedelta,
    *,
    extended_by_id: int,
) -> CloseRequest | None:
    """Move a pending deadline, but not further than `latest` from now. `at_most` counts the
    opener's extensions; staff's are not counted."""
    record = await connection.fetchrow(
        f"""update punctual.close_requests r set
                   auto_close_at = date_trunc('milliseconds',
                                              greatest(r.auto_close_at, now()) + $2::interval),
                   extensions = r.extensions + ($3::integer is not null)::integer,
                   extended_by_id = $5
            where r.id = $1 and r.status = 'pending' and r.auto_close_at is not null
              and r.extensions < coalesce($3, r.extensions + 1)
              and greatest(r.auto_close_at, now()) + $2::interval <= now() + $4::interval
            returning {REQUEST}""",
        close_request_id,
        by,
        at_most,
        latest,
        extended_by_id,
    )
    return read_one(CloseRequest, record)


async def resolve(
    connection: Connection,
    ticket_id: int,
    status: RequestStatus,
    resolved_by_id: int | None,
    close_request_id: int | None = None,
) -> CloseRequest | None:
    """End the pending request, or only that one if named. None if there is none to end."""
    record = await connection.fetchrow(
        f"""update punctual.close_requests r
            set status = $2, resolved_at = now(), resolved_by_id = $3
            where r.ticket_id = $1 and r.status = 'pending' and r.id = coalesce($4, r.id)
            returning {REQUEST}""",
        ticket_id,
        status.value,
        resolved_by_id,
        close_request_id,
    )
    return read_one(CloseRequest, record)


async def resolve_all_of(connection: Connection, ticket_ids: Sequence[int]) -> None:
    await connection.execute(
        """update punctual.close_requests set status = 'closed', resolved_at = now()
           where ticket_id = any($1::bigint[]) and status = 'pending'""",
        list(ticket_ids),
    )


async def restore_superseded(connection: Connection, close_request_id: int) -> CloseRequest | None:
    """The ticket must be locked, and have no pending request."""
    record = await connection.fetchrow(
        f"""update punctual.close_requests r
            set status = 'pending', resolved_at = null, resolved_by_id = null
            from punctual.tickets t
            where r.id = $1 and r.status = 'superseded' and t.id = r.ticket_id
              and t.status = 'open' returning {REQUEST}""",
        close_request_id,
    )
    return read_one(CloseRequest, record)


async def superseded_by(connection: Connection, request: CloseRequest) -> int | None:
    """The request that this one replaced: the one before it, leaving out what was taken back."""
    return await connection.fetchval(
        """select id from (
               select id, status from punctual.close_requests
               where ticket_id = $1 and id < $2
                 and not (status = 'withdrawn' and resolved_by_id is null and message_id is null)
               order by id desc limit 1) as before
           where status = 'superseded'""",
        request.ticket_id,
        request.id,
    )


async def time_left(connection: Connection, close_request_id: int) -> timedelta | None:
    """Until the deadline; negative once it has passed, None where there is none."""
    return await connection.fetchval(
        "select auto_close_at - clock_timestamp() from punctual.close_requests where id = $1",
        close_request_id,
    )


async def timed_tickets(connection: Connection, ticket_ids: Sequence[int]) -> Sequence[TimedTicket]:
    """In the order of the ids."""
    records = await connection.fetch(
        f"""select {_prefixed(TICKET, "t_")}, {_prefixed(REQUEST, "r_")},
                   not exists (select from punctual.effects e
                               where e.ticket_id = t.id and e.subject_id = r.id
                                 and e.kind in ('ask', 'announce-grace')) as is_told
            from unnest($1::bigint[]) with ordinality as wanted (id, place)
            join punctual.tickets t on t.id = wanted.id
            left join punctual.close_requests r on r.ticket_id = t.id
                  and r.status = 'pending' and r.auto_close_at is not null
            order by wanted.place""",
        list(ticket_ids),
    )
    return [
        TimedTicket(
            read(Ticket, record, "t_"),
            read(CloseRequest, record, "r_") if record["r_id"] is not None else None,
            record["is_told"],
        )
        for record in records
    ]


def _prefixed(columns: str, prefix: str) -> str:
    return ", ".join(f"{column} as {prefix}{column[2:]}" for column in columns.split(", "))


# --- running out


@dataclass(frozen=True, slots=True)
class Expired:
    ticket_id: int
    close_request_id: int
    reason: str | None
    late_ms: int


DUE = """r.status = 'pending' and r.auto_close_at <= clock_timestamp()
    and not exists (select from punctual.effects e
                    where e.ticket_id = r.ticket_id and e.subject_id = r.id
                      and e.kind in ('ask', 'announce-grace'))"""
"""Its time is up, and the opener has been told of it."""
IS_READ = """(r.message_id is null
    or not coalesce((select g.reply_keeps_open from punctual.guild_settings g
                     where g.guild_id = t.guild_id), true)
    or (not $2 and t.guild_id <> all($3::bigint[])
        and coalesce(r.read_at >= (select h.listening_since from punctual.heartbeat h), false)))"""
"""Whether all that the opener has written is known: it has been noted ever since it was read."""


async def expire(
    connection: Connection, ticket_ids: Sequence[int], grace: timedelta, *, missed: Missed
) -> Sequence[Expired]:
    """The one statement that decides whether the time of tickets is up. They must be locked.

    Not while nobody was there for longer than the grace: the first heartbeat after such an outage
    grants the grace. Not before what the opener may have written is known.
    """
    records = await connection.fetch(
        f"""update punctual.close_requests r set status = 'expired', resolved_at = clock_timestamp()
            from punctual.tickets t
            where r.ticket_id = any($1::bigint[]) and t.id = r.ticket_id and {DUE} and {IS_READ}
              and ($4::interval = interval '0'
                   or coalesce((select h.seen_at from punctual.heartbeat h), now())
                      > now() - greatest($4::interval, interval '5 seconds'))
              and t.status = 'open' and not t.exclude_from_autoclose
            returning r.ticket_id, r.id, r.reason, (1000 *
              extract(epoch from clock_timestamp() - r.auto_close_at))::bigint as late_ms""",
        list(ticket_ids),
        missed.everywhere,
        list(missed.guild_ids),
        grace,
    )
    return [
        Expired(record["ticket_id"], record["id"], record["reason"], record["late_ms"])
        for record in records
    ]


async def unread(
    connection: Connection, ticket_ids: Sequence[int], *, missed: Missed
) -> Sequence[tuple[int, int]]:
    """Each (ticket, request) whose time is up, but whose channel has to be read first."""
    records = await connection.fetch(
        f"""select r.ticket_id, r.id from punctual.close_requests r
            join punctual.tickets t on t.id = r.ticket_id
            where r.ticket_id = any($1::bigint[]) and {DUE} and not {IS_READ}
              and t.status = 'open' and not t.exclude_from_autoclose""",
        list(ticket_ids),
        missed.everywhere,
        list(missed.guild_ids),
    )
    return [(record["ticket_id"], record["id"]) for record in records]


async def set_read(connection: Connection, close_request_id: int, reading_for: timedelta) -> None:
    """Its channel has been read, by a look that began so long ago."""
    await connection.execute(
        """update punctual.close_requests set read_at = clock_timestamp() - $2::interval
           where id = $1""",
        close_request_id,
        reading_for,
    )


async def set_unread(connection: Connection, guild_ids: Collection[int]) -> None:
    """Messages may have gone by in these servers: their channels are to be read again."""
    await connection.execute(
        """update punctual.close_requests r set read_at = null from punctual.tickets t
           where t.id = r.ticket_id and t.guild_id = any($1::bigint[])
             and r.status = 'pending' and r.read_at is not null""",
        list(guild_ids),
    )
