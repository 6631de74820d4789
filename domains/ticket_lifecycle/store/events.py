"""`ticket_events`: what has happened, append-only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from domains.ticket_lifecycle.models import Operator, Params, TicketEvent
from domains.ticket_lifecycle.store.rows import read

if TYPE_CHECKING:
    from domains.database import Connection


async def add(
    connection: Connection,
    ticket_id: int,
    event: str,
    actor_id: int | None = None,
    *,
    late_ms: int | None = None,
    params: Params | None = None,
) -> None:
    await add_many(connection, event, [(ticket_id, late_ms)], actor_id=actor_id, params=params)


async def add_many(
    connection: Connection,
    event: str,
    tickets: Sequence[tuple[int, int | None]],
    *,
    actor_id: int | None = None,
    params: Params | None = None,
) -> None:
    """The same event of each (ticket, how late in ms)."""
    if isinstance(actor_id, Operator):
        params = {**(params or {}), "operator": actor_id.name}
    await connection.execute(
        """insert into punctual.ticket_events
               (ticket_id, guild_id, event, actor_id, late_ms, params)
           select t.id, t.guild_id, $2, $3, late.late_ms, $5::jsonb
           from unnest($1::bigint[], $4::bigint[]) as late (ticket_id, late_ms)
           join punctual.tickets t on t.id = late.ticket_id order by t.id""",
        [ticket_id for ticket_id, _ in tickets],
        event,
        actor_id,
        [late_ms for _, late_ms in tickets],
        json.dumps(dict(params)) if params else None,
    )


async def of_ticket(connection: Connection, ticket_id: int) -> Sequence[TicketEvent]:
    records = await connection.fetch(
        """select event, actor_id, at, late_ms, detail, coalesce(params, '{}') as params
           from punctual.ticket_events where ticket_id = $1 order by id""",
        ticket_id,
    )
    return [read(TicketEvent, record) for record in records]


async def recent_lateness(connection: Connection, guild_id: int, limit: int) -> Sequence[int]:
    """How late the guild's last timed closes were decided, in milliseconds, newest first."""
    records = await connection.fetch(
        """select late_ms from punctual.ticket_events
           where guild_id = $1 and late_ms is not null and event = 'expired'
           order by id desc limit $2""",
        guild_id,
        limit,
    )
    return [record["late_ms"] for record in records]
