"""What the tables hold of a member. In each statement $1 is the member, and guild 0 is every
guild."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from domains.ticket_lifecycle.models import CloseRequest, Ticket, TicketEvent
from domains.ticket_lifecycle.store.rows import REQUEST, TICKET, read

if TYPE_CHECKING:
    from domains.database import Connection

TOOK_PART = """(t.claimed_by_id = $1 or t.closed_by_id = $1
    or t.id in (select e.ticket_id from punctual.ticket_events e where e.actor_id = $1)
    or t.id in (select r.ticket_id from punctual.close_requests r
                where r.requested_by_id = $1 or r.resolved_by_id = $1))"""
"""In a ticket of somebody else's, as far as the tables tell."""
TYPED_REASON = """(t.closed_by_id = $1
    or exists (select from punctual.close_requests r where r.ticket_id = t.id
               and r.requested_by_id = $1 and r.reason = t.close_reason))"""
"""Whether the reason of the close is the member's own."""


async def opened_by(
    connection: Connection, user_id: int, guild_id: int, *, closed: bool, limit: int
) -> Sequence[Ticket]:
    """The newest first."""
    records = await connection.fetch(
        f"""select {TICKET} from punctual.tickets t
            where t.opener_id = $1 and (t.guild_id = $2 or $2 = 0)
              and (t.status = 'closed') = $3 order by t.id desc limit $4""",
        user_id,
        guild_id,
        closed,
        limit,
    )
    return [read(Ticket, record) for record in records]


async def took_part(
    connection: Connection, user_id: int, guild_id: int, *, after: int, limit: int
) -> Sequence[Ticket]:
    """A page of others' tickets in which the member did something, by id."""
    records = await connection.fetch(
        f"""select {TICKET} from punctual.tickets t
            where t.opener_id <> $1 and (t.guild_id = $2 or $2 = 0) and t.id > $3 and {TOOK_PART}
            order by t.id limit $4""",
        user_id,
        guild_id,
        after,
        limit,
    )
    return [read(Ticket, record) for record in records]


@dataclass(frozen=True, slots=True)
class Counts:
    own_open: int
    own_closed: int
    others_open: int
    others_closed: int


async def count(connection: Connection, user_id: int, guild_id: int) -> Counts:
    record = await connection.fetchrow(
        f"""select count(*) filter (where own and not closed) as own_open,
                   count(*) filter (where own and closed) as own_closed,
                   count(*) filter (where not own and not closed) as others_open,
                   count(*) filter (where not own and closed) as others_closed
            from (select t.opener_id = $1 as own, t.status = 'closed' as closed
                  from punctual.tickets t
                  where (t.guild_id = $2 or $2 = 0)
                    and (t.opener_id = $1 or {TOOK_PART})) as found""",
        user_id,
        guild_id,
    )
    assert record is not None
    return Counts(**dict(record))


async def tickets_by_id(connection: Connection, ticket_ids: Sequence[int]) -> Sequence[Ticket]:
    records = await connection.fetch(
        f"select {TICKET} from punctual.tickets t where t.id = any($1::bigint[]) order by t.id",
        list(ticket_ids),
    )
    return [read(Ticket, record) for record in records]


async def lock_closed(connection: Connection, ticket_ids: Sequence[int]) -> Sequence[int]:
    records = await connection.fetch(
        """select id from punctual.tickets where id = any($1::bigint[]) and status = 'closed'
           order by id for no key update""",
        list(ticket_ids),
    )
    return [record["id"] for record in records]


# --- forgetting; the tickets must be locked


async def forget_opener(connection: Connection, user_id: int, ticket_ids: Sequence[int]) -> None:
    """What was typed in the member's own tickets goes, whoever typed it."""
    ids = list(ticket_ids)
    await connection.execute(
        """update punctual.tickets set opener_id = 0, subject = '', opener_locale = null,
                  close_reason = null, attention = null, closed_by_id = nullif(closed_by_id, $1),
                  claimed_by_id = nullif(claimed_by_id, $1)
           where id = any($2::bigint[]) and opener_id = $1""",
        user_id,
        ids,
    )
    await connection.execute(
        """update punctual.close_requests set reason = null,
                  requested_by_id = coalesce(nullif(requested_by_id, $1), 0),
                  resolved_by_id = nullif(resolved_by_id, $1),
                  extended_by_id = nullif(extended_by_id, $1)
           where ticket_id = any($2::bigint[])""",
        user_id,
        ids,
    )
    await connection.execute(
        """update punctual.ticket_events set actor_id = nullif(actor_id, $1), detail = null,
                  params = params - '{reason,text,place,error}'::text[]
           where ticket_id = any($2::bigint[])""",
        user_id,
        ids,
    )
    await connection.execute(
        "update punctual.effects set error = null where ticket_id = any($1::bigint[])", ids
    )


async def forget_participant(
    connection: Connection, user_id: int, ticket_ids: Sequence[int]
) -> None:
    """In others' tickets only what the member typed goes."""
    ids = list(ticket_ids)
    await connection.execute(
        f"""update punctual.tickets t set
                close_reason = case when {TYPED_REASON} then null else t.close_reason end,
                closed_by_id = nullif(closed_by_id, $1), claimed_by_id = nullif(claimed_by_id, $1)
            where t.id = any($2::bigint[])""",
        user_id,
        ids,
    )
    await connection.execute(
        """update punctual.close_requests set
               reason = case when requested_by_id = $1 then null else reason end,
               requested_by_id = coalesce(nullif(requested_by_id, $1), 0),
               resolved_by_id = nullif(resolved_by_id, $1),
               extended_by_id = nullif(extended_by_id, $1)
           where ticket_id = any($2::bigint[])
             and $1 in (requested_by_id, resolved_by_id, extended_by_id)""",
        user_id,
        ids,
    )
    await connection.execute(
        """update punctual.ticket_events set actor_id = null, detail = null,
                  params = params - '{reason,text}'::text[]
           where ticket_id = any($2::bigint[]) and actor_id = $1""",
        user_id,
        ids,
    )


async def forget_blocks_made(connection: Connection, user_id: int, guild_id: int) -> None:
    """A block of the member itself stays until it is over: it is what keeps them out."""
    await connection.execute(
        """update punctual.blocks set blocked_by_id = 0
           where blocked_by_id = $1 and (guild_id = $2 or $2 = 0)""",
        user_id,
        guild_id,
    )


@dataclass(frozen=True, slots=True)
class PartInTicket:
    closed_it: bool
    gave_reason: bool
    asked_in: tuple[int, ...]
    """The messages of the bot that show the member's close requests."""


async def part_in(connection: Connection, user_id: int, ticket_id: int) -> PartInTicket | None:
    """None if there is no such ticket."""
    record = await connection.fetchrow(
        f"""select coalesce(t.closed_by_id = $1, false) as closed_it,
                   coalesce({TYPED_REASON}, false) as gave_reason,
                   array(select r.message_id from punctual.close_requests r
                         where r.ticket_id = t.id and r.requested_by_id = $1
                           and r.message_id is not null) as asked_in
            from punctual.tickets t where t.id = $2""",
        user_id,
        ticket_id,
    )
    if record is None:
        return None
    return PartInTicket(record["closed_it"], record["gave_reason"], tuple(record["asked_in"]))


# --- the wish to be forgotten, until it is done


@dataclass(frozen=True, slots=True)
class Erasure:
    user_id: int
    guild_id: int


async def add_erasure(connection: Connection, user_id: int, guild_id: int) -> None:
    await connection.execute(
        """insert into punctual.erasures (user_id, guild_id) values ($1, $2)
           on conflict do nothing""",
        user_id,
        guild_id,
    )


async def remove_erasure(connection: Connection, user_id: int, guild_id: int) -> None:
    await connection.execute(
        "delete from punctual.erasures where user_id = $1 and guild_id = $2", user_id, guild_id
    )


async def erasures(connection: Connection) -> Sequence[Erasure]:
    records = await connection.fetch(
        "select user_id, guild_id from punctual.erasures order by requested_at"
    )
    return [Erasure(record["user_id"], record["guild_id"]) for record in records]


# --- what a member can be given


@dataclass(frozen=True, slots=True)
class Export:
    ticket: Ticket
    requests: Sequence[CloseRequest]
    events: Sequence[TicketEvent]


async def export(connection: Connection, ticket: Ticket) -> Export:
    requests = await connection.fetch(
        f"select {REQUEST} from punctual.close_requests r where r.ticket_id = $1 order by r.id",
        ticket.id,
    )
    events = await connection.fetch(
        """select event, actor_id, at, late_ms, detail, coalesce(params, '{}') as params
           from punctual.ticket_events where ticket_id = $1 order by id""",
        ticket.id,
    )
    return Export(
        ticket,
        [read(CloseRequest, record) for record in requests],
        [read(TicketEvent, record) for record in events],
    )
