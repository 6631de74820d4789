"""All SQL of the ticket lifecycle. The caller owns the connection and the transaction.

Who wants to change a ticket locks its row first (`lock_ticket`), so that transitions of one
ticket follow each other; the conditional updates then decide who wins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from domains.ticket_lifecycle.models import (
    CloseCause,
    CloseRequest,
    CloseStep,
    CloseTimer,
    GuildSettings,
    PendingClose,
    RequestStatus,
    Ticket,
    TicketEvent,
    TicketStatus,
)

if TYPE_CHECKING:
    import asyncpg

    from domains.database import Connection

Row = TypeVar("Row")

CONVERSIONS: dict[tuple[type, str], Callable[[Any], object]] = {
    (Ticket, "status"): TicketStatus,
    (Ticket, "close_cause"): CloseCause,
    (Ticket, "close_step"): CloseStep,
    (CloseRequest, "status"): RequestStatus,
    (GuildSettings, "support_role_ids"): tuple,
}


def _read(model: type[Row], record: asyncpg.Record) -> Row:
    """Columns that a newer migration added are passed over, so versions can overlap."""
    values: dict[str, object] = {}
    for field in fields(model):  # type: ignore[arg-type]  # every model is a dataclass
        value = record[field.name]
        convert = CONVERSIONS.get((model, field.name))
        values[field.name] = value if value is None or convert is None else convert(value)
    return model(**values)


def _read_one(model: type[Row], record: asyncpg.Record | None) -> Row | None:
    return None if record is None else _read(model, record)


# --- guilds


async def guild_settings(connection: Connection, guild_id: int) -> GuildSettings:
    record = await connection.fetchrow("select * from guild_settings where guild_id = $1", guild_id)
    return _read_one(GuildSettings, record) or GuildSettings(guild_id)


async def lock_guild(connection: Connection, guild_id: int) -> GuildSettings:
    """Make the guild's row if need be, and hold it: openings of one guild follow each other."""
    record = await connection.fetchrow(
        """insert into guild_settings (guild_id) values ($1)
           on conflict (guild_id) do update set guild_id = excluded.guild_id
           returning *""",
        guild_id,
    )
    assert record is not None
    return _read(GuildSettings, record)


async def save_guild_settings(connection: Connection, settings: GuildSettings) -> None:
    await connection.execute(
        """insert into guild_settings
               (guild_id, support_role_ids, category_id, log_channel_id, reply_keeps_open)
           values ($1, $2, $3, $4, $5)
           on conflict (guild_id) do update set
               support_role_ids = excluded.support_role_ids, category_id = excluded.category_id,
               log_channel_id = excluded.log_channel_id,
               reply_keeps_open = excluded.reply_keeps_open""",
        settings.guild_id,
        list(settings.support_role_ids),
        settings.category_id,
        settings.log_channel_id,
        settings.reply_keeps_open,
    )


# --- tickets


async def ticket(connection: Connection, ticket_id: int) -> Ticket | None:
    return _read_one(
        Ticket, await connection.fetchrow("select * from tickets where id = $1", ticket_id)
    )


async def ticket_in_channel(
    connection: Connection, guild_id: int, channel_id: int
) -> Ticket | None:
    record = await connection.fetchrow(
        """select * from tickets where channel_id = $1 and guild_id = $2
           order by id desc limit 1""",
        channel_id,
        guild_id,
    )
    return _read_one(Ticket, record)


async def lock_ticket(connection: Connection, ticket_id: int) -> Ticket | None:
    """`no key`, or the foreign key of an event written elsewhere would wait for us."""
    record = await connection.fetchrow(
        "select * from tickets where id = $1 for no key update", ticket_id
    )
    return _read_one(Ticket, record)


async def open_ticket_counts(
    connection: Connection, guild_id: int, opener_id: int
) -> tuple[int, int]:
    """How many tickets the member has that are not closed, and how many are just being opened."""
    record = await connection.fetchrow(
        """select count(*) as unclosed,
                  count(*) filter (where opening and opened_at > now() - interval '1 minute')
                      as opening
           from tickets where guild_id = $1 and opener_id = $2 and status <> 'closed'""",
        guild_id,
        opener_id,
    )
    assert record is not None
    return record["unclosed"], record["opening"]


async def unclosed_tickets(
    connection: Connection, guild_id: int, opener_id: int
) -> Sequence[Ticket]:
    records = await connection.fetch(
        """select * from tickets where guild_id = $1 and opener_id = $2 and status = 'open'
           and not opening order by id""",
        guild_id,
        opener_id,
    )
    return [_read(Ticket, record) for record in records]


async def insert_ticket(
    connection: Connection, guild_id: int, opener_id: int, subject: str
) -> Ticket:
    """The guild must be locked: the number is the next one there."""
    record = await connection.fetchrow(
        """insert into tickets (guild_id, number, opener_id, subject, opening)
           select $1, coalesce(max(number), 0) + 1, $2, $3, true from tickets where guild_id = $1
           returning *""",
        guild_id,
        opener_id,
        subject,
    )
    assert record is not None
    return _read(Ticket, record)


async def set_channel(connection: Connection, ticket_id: int, channel_id: int) -> Ticket | None:
    record = await connection.fetchrow(
        "update tickets set channel_id = $2 where id = $1 returning *", ticket_id, channel_id
    )
    return _read_one(Ticket, record)


async def finish_opening(connection: Connection, ticket_id: int) -> None:
    await connection.execute("update tickets set opening = false where id = $1", ticket_id)


async def delete_ticket(connection: Connection, ticket_id: int) -> None:
    """Take back a ticket that never came to be: it has no channel."""
    await connection.execute("delete from tickets where id = $1 and opening", ticket_id)


async def unfinished_openings(connection: Connection, older_than: timedelta) -> Sequence[Ticket]:
    records = await connection.fetch(
        """select * from tickets where opening and status = 'open'
           and opened_at <= now() - $1::interval order by id""",
        older_than,
    )
    return [_read(Ticket, record) for record in records]


async def set_excluded(connection: Connection, ticket_id: int, *, excluded: bool) -> Ticket | None:
    """None if the ticket was so already, or is not open."""
    record = await connection.fetchrow(
        """update tickets set exclude_from_autoclose = $2
           where id = $1 and status = 'open' and exclude_from_autoclose <> $2 returning *""",
        ticket_id,
        excluded,
    )
    return _read_one(Ticket, record)


# --- closing


async def mark_closing(
    connection: Connection,
    ticket_id: int,
    cause: CloseCause,
    closed_by_id: int | None,
    reason: str | None,
) -> Ticket | None:
    """Decide that the ticket closes. None if it is not open: someone else came first."""
    record = await connection.fetchrow(
        """update tickets set status = 'closing', close_cause = $2, closed_by_id = $3,
                  close_reason = $4, close_step = null, close_attempts = 0, close_failures = 0,
                  close_retry_at = null, attention = null, attention_at = null, opening = false
           where id = $1 and status = 'open' returning *""",
        ticket_id,
        cause.value,
        closed_by_id,
        reason,
    )
    return _read_one(Ticket, record)


async def begin_close_attempt(connection: Connection, ticket_id: int) -> Ticket | None:
    record = await connection.fetchrow(
        """update tickets set close_attempts = close_attempts + 1
           where id = $1 and status = 'closing' returning *""",
        ticket_id,
    )
    return _read_one(Ticket, record)


async def finish_step(connection: Connection, ticket_id: int, step: CloseStep) -> None:
    await connection.execute(
        "update tickets set close_step = $2 where id = $1 and status = 'closing'",
        ticket_id,
        step.value,
    )


async def mark_closed(connection: Connection, ticket_id: int) -> Ticket | None:
    record = await connection.fetchrow(
        """update tickets set status = 'closed', closed_at = now(), attention = null,
                  attention_at = null, close_retry_at = null
           where id = $1 and status = 'closing' returning *""",
        ticket_id,
    )
    return _read_one(Ticket, record)


async def record_close_failure(
    connection: Connection, ticket_id: int, first_delay: timedelta
) -> Ticket | None:
    """Count a failed attempt; the next one is due after 1, 2, 4 ... times `first_delay`."""
    record = await connection.fetchrow(
        """update tickets set close_failures = close_failures + 1,
                  close_retry_at = now() + $2::interval * (2 ^ least(close_failures, 10))
           where id = $1 and status = 'closing' returning *""",
        ticket_id,
        first_delay,
    )
    return _read_one(Ticket, record)


async def set_attention(connection: Connection, ticket_id: int, attention: str) -> Ticket | None:
    """None if the ticket says so already, or is closed: then it is not announced again."""
    record = await connection.fetchrow(
        """with before as (select id, attention from tickets where id = $1 for no key update)
           update tickets set attention = $2, attention_at = now() from before
           where tickets.id = before.id and tickets.status <> 'closed'
             and before.attention is distinct from $2
           returning tickets.*""",
        ticket_id,
        attention,
    )
    if record is None:
        await connection.execute(
            "update tickets set attention_at = now() where id = $1 and attention = $2",
            ticket_id,
            attention,
        )
    return _read_one(Ticket, record)


async def clear_failures(connection: Connection, ticket_id: int) -> bool:
    return bool(
        await connection.fetchval(
            """update tickets set close_failures = 0, close_retry_at = null
               where id = $1 and attention is not null and status <> 'closed' returning true""",
            ticket_id,
        )
    )


async def clear_attention(connection: Connection, ticket_id: int) -> Ticket | None:
    record = await connection.fetchrow(
        """update tickets set attention = null, attention_at = null, close_failures = 0,
                  close_retry_at = null
           where id = $1 and attention is not null and status <> 'closed' returning *""",
        ticket_id,
    )
    return _read_one(Ticket, record)


async def unfinished_closes(connection: Connection, slack: timedelta) -> Sequence[int]:
    """Tickets whose close is half done and that nothing else is going to take up."""
    records = await connection.fetch(
        """select id from tickets where status = 'closing' and attention is null
             and coalesce(close_retry_at + $1::interval, '-infinity') <= now()
           order by id""",
        slack,
    )
    return [record["id"] for record in records]


async def take_stale_attention(connection: Connection, age: timedelta) -> Sequence[Ticket]:
    """Tickets that need attention and were not tried for `age`; they are marked as tried now."""
    records = await connection.fetch(
        """update tickets set attention_at = now()
           where status <> 'closed' and attention is not null
             and attention_at <= now() - $1::interval returning *""",
        age,
    )
    return [_read(Ticket, record) for record in records]


# --- close requests


async def close_request(connection: Connection, close_request_id: int) -> CloseRequest | None:
    record = await connection.fetchrow(
        "select * from close_requests where id = $1", close_request_id
    )
    return _read_one(CloseRequest, record)


async def latest_request(connection: Connection, ticket_id: int) -> CloseRequest | None:
    record = await connection.fetchrow(
        """select * from close_requests where ticket_id = $1
           order by status = 'pending' desc, id desc limit 1""",
        ticket_id,
    )
    return _read_one(CloseRequest, record)


async def pending_request(connection: Connection, ticket_id: int) -> CloseRequest | None:
    record = await connection.fetchrow(
        "select * from close_requests where ticket_id = $1 and status = 'pending'", ticket_id
    )
    return _read_one(CloseRequest, record)


async def insert_close_request(
    connection: Connection,
    ticket_id: int,
    requested_by_id: int,
    reason: str | None,
    delay: timedelta | None,
) -> CloseRequest:
    """The deadline is PostgreSQL's own time, in whole milliseconds as the job's key has it."""
    record = await connection.fetchrow(
        """insert into close_requests (ticket_id, requested_by_id, reason, auto_close_at, announced)
           values ($1, $2, $3, date_trunc('milliseconds', now() + $4::interval), false)
           returning *""",
        ticket_id,
        requested_by_id,
        reason,
        delay,
    )
    assert record is not None
    return _read(CloseRequest, record)


async def resolve_request(
    connection: Connection,
    ticket_id: int,
    status: RequestStatus,
    resolved_by_id: int | None,
    close_request_id: int | None = None,
) -> CloseRequest | None:
    """End the pending request, or only that one if named. None if there is none to end."""
    record = await connection.fetchrow(
        """update close_requests set status = $2, resolved_at = now(), resolved_by_id = $3,
                  shown = message_id is null
           where ticket_id = $1 and status = 'pending' and id = coalesce($4, id) returning *""",
        ticket_id,
        status.value,
        resolved_by_id,
        close_request_id,
    )
    return _read_one(CloseRequest, record)


async def expire_request(
    connection: Connection, ticket_id: int, close_request_id: int, grace: timedelta
) -> tuple[CloseRequest, int] | None:
    """The one statement that decides whether a ticket's time is up.

    Not while the last heartbeat is older than the grace: then there was an outage, and the first
    heartbeat after it grants the grace.

    Returns the request and how late it is in milliseconds; None if it is not to expire.
    """
    record = await connection.fetchrow(
        """update close_requests r set status = 'expired', resolved_at = now(),
                  shown = message_id is null
           from tickets t
           where r.id = $2 and r.ticket_id = $1 and t.id = r.ticket_id
             and r.status = 'pending' and r.auto_close_at <= now() and r.announced
             and r.grace_announced
             and ($3::interval = interval '0' or coalesce((select seen_at from heartbeat), now())
                  > now() - greatest($3::interval, interval '5 seconds'))
             and t.status = 'open' and not t.exclude_from_autoclose
           returning r.*,
             (extract(epoch from clock_timestamp() - r.auto_close_at) * 1000)::bigint as late_ms""",
        ticket_id,
        close_request_id,
        grace,
    )
    return None if record is None else (_read(CloseRequest, record), record["late_ms"])


async def time_left(connection: Connection, close_request_id: int) -> timedelta | None:
    """Until the deadline; negative once it has passed, None where there is none."""
    return await connection.fetchval(
        "select auto_close_at - clock_timestamp() from close_requests where id = $1",
        close_request_id,
    )


async def restore_superseded(connection: Connection, close_request_id: int) -> CloseRequest | None:
    """The ticket must be locked, and have no pending request."""
    record = await connection.fetchrow(
        """update close_requests r set status = 'pending', resolved_at = null,
                  resolved_by_id = null, shown = message_id is null
           from tickets t
           where r.id = $1 and r.status = 'superseded' and t.id = r.ticket_id and t.status = 'open'
           returning r.*""",
        close_request_id,
    )
    return _read_one(CloseRequest, record)


async def set_announced(
    connection: Connection, close_request_id: int, message_id: int, *, current: bool
) -> CloseRequest | None:
    """`current`: the message shows what the row said when it was posted."""
    record = await connection.fetchrow(
        """update close_requests set announced = true, message_id = $2,
                  shown = $3 and status = 'pending'
           where id = $1 returning *""",
        close_request_id,
        message_id,
        current,
    )
    return _read_one(CloseRequest, record)


async def set_stale(connection: Connection, close_request_id: int) -> None:
    """What the message should say has changed elsewhere: in the ticket's row."""
    await connection.execute(
        "update close_requests set shown = message_id is null where id = $1", close_request_id
    )


async def set_current(connection: Connection, request: CloseRequest) -> None:
    """Unless the row has changed since: then the message is stale again."""
    await connection.execute(
        """update close_requests set shown = (status = $2 and auto_close_at is not distinct from $3)
           where id = $1""",
        request.id,
        request.status.value,
        request.auto_close_at,
    )


async def stale_requests(connection: Connection) -> Sequence[CloseRequest]:
    """Requests whose message is out of date, in tickets whose channel is going to stay."""
    records = await connection.fetch(
        """select r.* from close_requests r join tickets t on t.id = r.ticket_id
           where not r.shown and t.status = 'open'
             and coalesce(r.resolved_at, '-infinity') <= now() - interval '5 seconds'
           order by r.id"""
    )
    return [_read(CloseRequest, record) for record in records]


async def unannounced_requests(
    connection: Connection, older_than: timedelta
) -> Sequence[CloseRequest]:
    records = await connection.fetch(
        """select * from close_requests where status = 'pending' and not announced
             and requested_at <= now() - $1::interval order by id""",
        older_than,
    )
    return [_read(CloseRequest, record) for record in records]


async def restart_deadline(connection: Connection, close_request_id: int) -> CloseRequest | None:
    """Give the full delay anew to a request that the opener has not been shown yet."""
    record = await connection.fetchrow(
        """update close_requests set requested_at = now(), auto_close_at =
                  date_trunc('milliseconds', now() + (auto_close_at - requested_at))
           where id = $1 and status = 'pending' and not announced returning *""",
        close_request_id,
    )
    return _read_one(CloseRequest, record)


async def move_deadline(
    connection: Connection, close_request_id: int, at_least_from_now: timedelta
) -> CloseRequest | None:
    """Move the deadline of a pending request to at least so far from now."""
    record = await connection.fetchrow(
        """update close_requests set shown = message_id is null, auto_close_at =
                  greatest(auto_close_at, date_trunc('milliseconds', now() + $2::interval))
           where id = $1 and status = 'pending' and auto_close_at is not null returning *""",
        close_request_id,
        at_least_from_now,
    )
    return _read_one(CloseRequest, record)


async def extend_deadline(
    connection: Connection, close_request_id: int, by: timedelta, most: int | None
) -> CloseRequest | None:
    """Move a pending deadline; `most` counts the opener's extensions, staff's are not counted."""
    record = await connection.fetchrow(
        """update close_requests set auto_close_at = greatest(auto_close_at, now()) + $2::interval,
                  shown = message_id is null,
                  extensions = extensions + ($3::integer is not null)::integer
           where id = $1 and status = 'pending' and auto_close_at is not null
             and extensions < coalesce($3, extensions + 1) returning *""",
        close_request_id,
        by,
        most,
    )
    return _read_one(CloseRequest, record)


async def pending_closes(
    connection: Connection, guild_id: int, limit: int, offset: int
) -> tuple[Sequence[PendingClose], int]:
    """A page of the guild's deadlines, soonest first, and how many there are in all."""
    requests = await connection.fetch(
        """select r.*, count(*) over () as total
           from close_requests r join tickets t on t.id = r.ticket_id
           where t.guild_id = $1 and t.status <> 'closed' and r.status = 'pending'
             and r.auto_close_at is not null
           order by r.auto_close_at, r.id limit $2 offset $3""",
        guild_id,
        limit,
        offset,
    )
    tickets = await connection.fetch(
        "select * from tickets where id = any($1::bigint[])", [r["ticket_id"] for r in requests]
    )
    by_id = {record["id"]: _read(Ticket, record) for record in tickets}
    page = [
        PendingClose(by_id[request["ticket_id"]], _read(CloseRequest, request))
        for request in requests
    ]
    return page, requests[0]["total"] if requests else 0


# --- timers: what the scheduler is to agree with

TIMER_IS_WANTED = """r.status = 'pending' and r.auto_close_at is not null
    and t.status = 'open' and not t.exclude_from_autoclose"""


def _timer(record: asyncpg.Record) -> CloseTimer:
    return CloseTimer(record["ticket_id"], record["id"], record["auto_close_at"])


async def timer_of_ticket(connection: Connection, ticket_id: int) -> CloseTimer | None:
    record = await connection.fetchrow(
        f"""select r.* from close_requests r join tickets t on t.id = r.ticket_id
            where r.ticket_id = $1 and {TIMER_IS_WANTED}""",
        ticket_id,
    )
    return None if record is None else _timer(record)


async def timers_after(
    connection: Connection, close_request_id: int, limit: int
) -> Sequence[CloseTimer]:
    """A page of all timers there ought to be, by the request's id; empty only after the last.

    The page is cut before the join: PostgreSQL would else join all tickets anew for every page.
    """
    last = close_request_id
    while True:
        records = await connection.fetch(
            """select r.*, t.status = 'open' and not t.exclude_from_autoclose
                      and t.attention is null as wanted
               from (select id, ticket_id, auto_close_at from close_requests
                     where id > $1 and status = 'pending' and auto_close_at is not null
                     order by id limit $2) r
               join tickets t on t.id = r.ticket_id order by r.id""",
            last,
            limit,
        )
        wanted = [_timer(record) for record in records if record["wanted"]]
        if wanted or not records:
            return wanted
        last = records[-1]["id"]


async def overdue_timers(
    connection: Connection, overdue_for: timedelta, limit: int
) -> Sequence[CloseTimer]:
    records = await connection.fetch(
        f"""select r.id, r.ticket_id, r.auto_close_at
            from close_requests r join tickets t on t.id = r.ticket_id
            where r.auto_close_at <= now() - $1::interval and r.announced and r.grace_announced
              and t.attention is null and {TIMER_IS_WANTED}
            order by r.auto_close_at limit $2""",
        overdue_for,
        limit,
    )
    return [_timer(record) for record in records]


async def wanted_timers(connection: Connection, ticket_ids: Sequence[int]) -> Sequence[CloseTimer]:
    """Which of these tickets have a timer, and for when. A close that its own job has begun is
    that job's to finish."""
    records = await connection.fetch(
        f"""select r.id, r.ticket_id, r.auto_close_at
            from close_requests r join tickets t on t.id = r.ticket_id
            where r.ticket_id = any($1::bigint[]) and (({TIMER_IS_WANTED}) or
              (r.status = 'expired' and t.status = 'closing' and t.close_cause = 'expired'))""",
        list(ticket_ids),
    )
    return [_timer(record) for record in records]


# --- the audit trail, and the bot's own heartbeat


async def add_event(
    connection: Connection,
    ticket_id: int,
    event: str,
    actor_id: int | None = None,
    *,
    late_ms: int | None = None,
    detail: str | None = None,
) -> None:
    await connection.execute(
        """insert into ticket_events (ticket_id, event, actor_id, late_ms, detail)
           values ($1, $2, $3, $4, $5)""",
        ticket_id,
        event,
        actor_id,
        late_ms,
        detail,
    )


async def events(connection: Connection, ticket_id: int) -> Sequence[TicketEvent]:
    records = await connection.fetch(
        "select * from ticket_events where ticket_id = $1 order by id", ticket_id
    )
    return [_read(TicketEvent, record) for record in records]


async def recent_lateness(connection: Connection, guild_id: int, limit: int) -> Sequence[int]:
    """How late the guild's last timed closes were decided, in milliseconds, newest first."""
    records = await connection.fetch(
        """select e.late_ms from ticket_events e join tickets t on t.id = e.ticket_id
           where t.guild_id = $1 and e.late_ms is not null order by e.id desc limit $2""",
        guild_id,
        limit,
    )
    return [record["late_ms"] for record in records]


async def count_attention(connection: Connection, guild_id: int) -> int:
    return await connection.fetchval(
        """select count(*) from tickets
           where guild_id = $1 and status <> 'closed' and attention is not null""",
        guild_id,
    )


# --- outages


async def record_heartbeat(connection: Connection) -> timedelta | None:
    """Record that a bot is alive. Returns the time since the last one; None the first time."""
    before = await connection.fetchval("select seen_at from heartbeat for update")
    now = await connection.fetchval(
        """insert into heartbeat (seen_at) values (clock_timestamp())
           on conflict (only_row) do update set seen_at = excluded.seen_at returning seen_at"""
    )
    return None if before is None else now - before


async def grant_grace(
    connection: Connection, grace: timedelta, stagger: timedelta
) -> Sequence[tuple[CloseRequest, CloseRequest]]:
    """Move every overdue deadline, guild by guild one after the other. Before and after each."""
    records = await connection.fetch(
        f"""select r.*, row_number() over (partition by t.guild_id order by r.auto_close_at, r.id)
                   - 1 as place
            from close_requests r join tickets t on t.id = r.ticket_id
            where r.auto_close_at <= now() and r.announced and {TIMER_IS_WANTED}""",
    )
    if not records:
        return []
    moved = await connection.fetch(
        """update close_requests r set grace_at = now(), grace_announced = false,
                  shown = message_id is null,
                  auto_close_at = date_trunc('milliseconds', now() + $3::interval
                                             + overdue.place * $4::interval)
           from unnest($1::bigint[], $2::bigint[]) as overdue (id, place)
           where r.id = overdue.id and r.status = 'pending' and r.auto_close_at <= now()
           returning r.*""",
        [record["id"] for record in records],
        [record["place"] for record in records],
        grace,
        stagger,
    )
    before = {record["id"]: _read(CloseRequest, record) for record in records}
    return [(before[record["id"]], _read(CloseRequest, record)) for record in moved]


async def unannounced_grace(connection: Connection) -> Sequence[CloseRequest]:
    records = await connection.fetch(
        """select * from close_requests where status = 'pending' and not grace_announced
           order by auto_close_at"""
    )
    return [_read(CloseRequest, record) for record in records]


async def grace_to_announce(connection: Connection, close_request_id: int) -> CloseRequest | None:
    """The request, if its grace is still to be announced."""
    record = await connection.fetchrow(
        """select * from close_requests
           where id = $1 and status = 'pending' and not grace_announced""",
        close_request_id,
    )
    return _read_one(CloseRequest, record)


async def set_grace_announced(connection: Connection, close_request_id: int) -> None:
    await connection.execute(
        "update close_requests set grace_announced = true where id = $1", close_request_id
    )
