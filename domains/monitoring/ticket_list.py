"""The list of tickets: what it is narrowed to, and its SQL. The caller owns the connection.

Newest first, a page at a time by the last one's id. A text is looked for in a bounded number of
tickets a page, so that no search reads a whole history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from domains.monitoring.models import ListedTicket
from domains.monitoring.sql import TICKET, ticket_fields

if TYPE_CHECKING:
    import asyncpg

    from domains.database import Connection

SEARCHED = 20_000
"""In how many tickets a page looks for a text."""
MAX_TEXT = 200
MAX_SERVERS = 200
LISTED = f"{TICKET}, t.opener_id, t.opened_at, t.closed_at"
DEADLINE = """(select r.auto_close_at from punctual.close_requests r
    where r.ticket_id = t.id and r.status = 'pending' and t.status <> 'closed')"""
TIMED = "punctual.close_requests r join punctual.tickets t on t.id = r.ticket_id"


class TicketState(StrEnum):
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
    ATTENTION = "attention"
    TIMED = "timed"


_CONDITIONS = {
    TicketState.OPEN: "t.status = 'open'",
    TicketState.CLOSING: "t.status = 'closing'",
    TicketState.CLOSED: "t.status = 'closed'",
    TicketState.ATTENTION: "t.attention is not null and t.status <> 'closed'",
    TicketState.TIMED: """r.status = 'pending' and r.auto_close_at is not null
                          and t.status <> 'closed'""",
}


@dataclass(frozen=True, slots=True)
class TicketFilter:
    guild_id: int | None = None
    state: TicketState | None = None
    opener_ids: Sequence[int] | None = None
    """None is anybody, empty is nobody."""
    text: str = ""


@dataclass(frozen=True, slots=True)
class TicketPage:
    tickets: Sequence[ListedTicket]
    older_than: int | None
    """Where the next page begins; None after the last."""
    looked_through: bool = True
    """False if there are older tickets in which the text has not been looked for."""


async def page(
    connection: Connection, chosen: TicketFilter, before: int | None, limit: int
) -> TicketPage:
    text = chosen.text[:MAX_TEXT].lower()
    depth = SEARCHED if text else limit + 1
    values: list[object] = [depth, text, limit + 1]
    records = await connection.fetch(
        f"""with narrowed as ({_narrowed(chosen, before, values)} limit $1),
                 looked as (select count(*) as number, min(id) as last from narrowed)
            select n.*, looked.number as looked_number, looked.last as looked_last
            from looked left join lateral (
                select * from narrowed where $2 = '' or strpos(lower(subject), $2) > 0
                order by id desc limit $3) n on true order by n.id desc""",
        *values,
    )
    looked, last = records[0]["looked_number"], records[0]["looked_last"]
    found = [_listed(record) for record in records if record["id"] is not None]
    if len(found) > limit:
        return TicketPage(found[:limit], found[limit - 1].id)
    if text and looked == depth:
        return TicketPage(found, last, looked_through=False)
    return TicketPage(found, None)


def _narrowed(chosen: TicketFilter, before: int | None, values: list[object]) -> str:
    """Without the text. What it is compared with is added to the `values`; conditions that are
    not asked for are left out, or a prepared plan would have to do without their indexes."""
    conditions: list[str] = []

    def require(condition: str, value: object) -> None:
        values.append(value)
        conditions.append(condition.format(f"${len(values)}"))

    is_timed = chosen.state is TicketState.TIMED
    key = "r.ticket_id" if is_timed else "t.id"
    if chosen.state is not None:
        conditions.append(_CONDITIONS[chosen.state])
    if before is not None:
        require(f"{key} < {{}}", before)
    if chosen.guild_id is not None:
        require("t.guild_id = {}", chosen.guild_id)
    if chosen.opener_ids is not None:
        require("t.opener_id = any({}::bigint[])", list(chosen.opener_ids))
    where = f"where {' and '.join(conditions)}" if conditions else ""
    return f"""select {LISTED}, {"r.auto_close_at" if is_timed else DEADLINE} as auto_close_at
               from {TIMED if is_timed else "punctual.tickets t"} {where} order by {key} desc"""


def _listed(record: asyncpg.Record) -> ListedTicket:
    return ListedTicket(
        **ticket_fields(record),
        opener_id=record["opener_id"],
        opened_at=record["opened_at"],
        closed_at=record["closed_at"],
        auto_close_at=record["auto_close_at"],
    )


async def servers(connection: Connection) -> Sequence[int]:
    """Those that have tickets. Goes from one to the next, however many tickets they have."""
    records = await connection.fetch(
        """with recursive with_tickets (guild_id) as (
               (select guild_id from punctual.tickets order by guild_id limit 1)
               union all
               select (select t.guild_id from punctual.tickets t
                       where t.guild_id > w.guild_id order by t.guild_id limit 1)
               from with_tickets w where w.guild_id is not null)
           select guild_id from with_tickets where guild_id is not null limit $1""",
        MAX_SERVERS,
    )
    return [record["guild_id"] for record in records]
