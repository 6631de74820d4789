"""`heartbeat`: one row that tells an outage from a quiet night."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domains.database import Connection


async def record(connection: Connection, *, missed_everywhere: bool) -> timedelta | None:
    """Note that somebody is here, and whether messages may have gone by unnoticed in every
    server. Returns for how long nobody was here; None the first time ever."""
    before = await connection.fetchval("select seen_at from punctual.heartbeat for update")
    now = await connection.fetchval(
        """insert into punctual.heartbeat (seen_at, listening_since)
           values (clock_timestamp(), case when $1 then clock_timestamp() end)
           on conflict (only_row) do update set seen_at = excluded.seen_at,
               listening_since = coalesce(excluded.listening_since, heartbeat.listening_since)
           returning seen_at""",
        missed_everywhere,
    )
    return None if before is None else now - before


async def grant_grace(
    connection: Connection, grace: timedelta, stagger: timedelta
) -> Sequence[tuple[int, int]]:
    """Move every overdue deadline, guild by guild one after the other. Returns each (ticket,
    request)."""
    records = await connection.fetch(
        """with overdue as (
               select r.id, row_number() over (partition by t.guild_id
                                               order by r.auto_close_at, r.id) - 1 as place
               from punctual.close_requests r join punctual.tickets t on t.id = r.ticket_id
               where r.status = 'pending' and r.auto_close_at <= now() and t.status = 'open'
                 and not t.exclude_from_autoclose
                 and not exists (select from punctual.effects e
                                 where e.ticket_id = r.ticket_id and e.subject_id = r.id
                                   and e.kind in ('ask', 'announce-grace')))
           update punctual.close_requests r set grace_at = now(),
                  auto_close_at = date_trunc('milliseconds', now() + $1::interval
                                             + overdue.place * $2::interval)
           from overdue
           where r.id = overdue.id and r.status = 'pending' and r.auto_close_at <= now()
           returning r.ticket_id, r.id""",
        grace,
        stagger,
    )
    return [(record["ticket_id"], record["id"]) for record in records]
