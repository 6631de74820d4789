"""`hourly_figures`: what `ticket_events` add up to, kept when the tickets themselves are gone.

Events up to `figures_progress.event_id` are counted there; whoever reads adds the few that follow.
Ids are given before their transactions commit, so an event is counted only when it has settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domains.database import Connection

SETTLED = timedelta(minutes=1)
"""Longer than any of our transactions lasts."""
COUNTED = ("opened", "expired", "closed", "attempt_failed", "close_failed", "attention")
NOT_TIMED = -1
ROUNDED = f"""case when e.late_ms is null then {NOT_TIMED}
     when e.late_ms < 100 then greatest(e.late_ms, 0)
     else ceil(e.late_ms / (10 ^ (length(e.late_ms::text) - 2))::numeric)
          * (10 ^ (length(e.late_ms::text) - 2))::numeric end::bigint"""
"""Up, to two digits, so that whole seconds stay what they are."""
HOUR = "date_trunc('hour', e.at at time zone 'utc') at time zone 'utc'"

_ADD = f"""insert into punctual.hourly_figures as f (hour, event, late_ms, number)
    select {HOUR}, e.event, {ROUNDED}, count(*) from (%s) e
    where e.event = any($1::text[]) group by 1, 2, 3 order by 1, 2, 3
    on conflict (hour, event, late_ms) do update set number = f.number + excluded.number"""


COUNTED_UP_TO = "coalesce((select event_id from punctual.figures_progress), 0)"


async def _begin(connection: Connection) -> None:
    await connection.execute(
        "insert into punctual.figures_progress default values on conflict do nothing"
    )


async def count_more(connection: Connection, limit: int) -> bool:
    """Count the next events, in a transaction. True if there may be more of them, False too if
    somebody else is at it."""
    await _begin(connection)
    done = await connection.fetchval(
        "select event_id from punctual.figures_progress for update skip locked"
    )
    if done is None:
        return False
    last = await connection.fetchrow(
        """select max(id) as id, count(*) as number
           from (select id from punctual.ticket_events
                 where id > $1 and at < now() - $3::interval order by id limit $2) as events""",
        done,
        limit,
        SETTLED,
    )
    assert last is not None
    if last["id"] is None:
        return False
    await connection.execute(
        _ADD % "select * from punctual.ticket_events where id > $2 and id <= $3",
        list(COUNTED),
        done,
        last["id"],
    )
    await connection.execute("update punctual.figures_progress set event_id = $1", last["id"])
    return last["number"] == limit


async def keep(connection: Connection, ticket_ids: Sequence[int]) -> None:
    """Count what is not counted yet of tickets that are about to be deleted, in the same
    transaction."""
    await _begin(connection)
    done = await connection.fetchval("select event_id from punctual.figures_progress for update")
    await connection.execute(
        _ADD
        % """select e.* from punctual.ticket_events e join punctual.tickets t on t.id = e.ticket_id
             where e.ticket_id = any($2::bigint[]) and e.id > $3 and t.status = 'closed'""",
        list(COUNTED),
        list(ticket_ids),
        done,
    )


async def delete_before(connection: Connection, age: timedelta) -> None:
    await connection.execute(
        "delete from punctual.hourly_figures where hour < now() - $1::interval", age
    )
