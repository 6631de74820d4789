"""`tickets`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from domains.ticket_lifecycle.models import CloseCause, Params, Standing, Ticket
from domains.ticket_lifecycle.store.rows import TICKET, read, read_one

if TYPE_CHECKING:
    from domains.database import Connection


async def get(connection: Connection, ticket_id: int) -> Ticket | None:
    record = await connection.fetchrow(
        f"select {TICKET} from punctual.tickets t where t.id = $1", ticket_id
    )
    return read_one(Ticket, record)


async def in_channel(connection: Connection, guild_id: int, channel_id: int) -> Ticket | None:
    record = await connection.fetchrow(
        f"""select {TICKET} from punctual.tickets t where t.channel_id = $1 and t.guild_id = $2
            order by t.id desc limit 1""",
        channel_id,
        guild_id,
    )
    return read_one(Ticket, record)


async def newest(connection: Connection, guild_id: int, limit: int) -> Sequence[Ticket]:
    records = await connection.fetch(
        f"""select {TICKET} from punctual.tickets t where t.guild_id = $1
            order by t.number desc limit $2""",
        guild_id,
        limit,
    )
    return [read(Ticket, record) for record in records]


async def lock(connection: Connection, ticket_id: int) -> Ticket | None:
    """`no key`, or the foreign key of an event written elsewhere would wait for us."""
    record = await connection.fetchrow(
        f"select {TICKET} from punctual.tickets t where t.id = $1 for no key update", ticket_id
    )
    return read_one(Ticket, record)


async def channels(connection: Connection) -> Sequence[tuple[int, int]]:
    """The channel and the opener of every ticket that is open."""
    records = await connection.fetch(
        """select channel_id, opener_id from punctual.tickets
           where status = 'open' and channel_id is not null"""
    )
    return [(record["channel_id"], record["opener_id"]) for record in records]


# --- opening


async def standing(connection: Connection, guild_id: int, opener_id: int) -> Standing:
    record = await connection.fetchrow(
        """select count(*) as unclosed,
                  count(*) filter (where channel_id is null and status = 'open'
                                     and opened_at > now() - interval '1 minute') as opening,
                  (select count(*) from punctual.tickets
                   where guild_id = $1 and status <> 'closed') as unclosed_in_guild,
                  (select max(opened_at) from punctual.tickets
                   where guild_id = $1 and opener_id = $2) as last_opened_at,
                  clock_timestamp() as now
           from punctual.tickets where guild_id = $1 and opener_id = $2 and status <> 'closed'""",
        guild_id,
        opener_id,
    )
    assert record is not None
    return read(Standing, record)


async def open_of(connection: Connection, guild_id: int, opener_id: int) -> Sequence[Ticket]:
    """A member's open tickets that have a channel, or had one."""
    records = await connection.fetch(
        f"""select {TICKET} from punctual.tickets t
            where t.guild_id = $1 and t.opener_id = $2 and t.status = 'open'
              and t.channel_id is not null order by t.id""",
        guild_id,
        opener_id,
    )
    return [read(Ticket, record) for record in records]


async def insert(
    connection: Connection, guild_id: int, opener_id: int, subject: str, opener_locale: str | None
) -> Ticket:
    """The guild must be locked: the number is the next one there."""
    record = await connection.fetchrow(
        f"""insert into punctual.tickets as t (guild_id, number, opener_id, subject, opener_locale)
            select $1, greatest(coalesce(max(number), 0),
                                (select g.last_number from punctual.guild_settings g
                                 where g.guild_id = $1)) + 1, $2, $3, $4
            from punctual.tickets where guild_id = $1 returning {TICKET}""",
        guild_id,
        opener_id,
        subject,
        opener_locale,
    )
    assert record is not None
    return read(Ticket, record)


async def set_channel(connection: Connection, ticket_id: int, channel_id: int) -> bool:
    """False if it had been set before, or the ticket is gone."""
    return bool(
        await connection.fetchval(
            """update punctual.tickets set channel_id = $2
               where id = $1 and channel_id is null returning true""",
            ticket_id,
            channel_id,
        )
    )


async def set_card(connection: Connection, ticket_id: int, message_id: int) -> None:
    await connection.execute(
        "update punctual.tickets set card_message_id = $2 where id = $1", ticket_id, message_id
    )


async def delete_without_channel(connection: Connection, ticket_id: int) -> None:
    """Take back a ticket that never came to be."""
    await connection.execute(
        "delete from punctual.tickets where id = $1 and channel_id is null", ticket_id
    )


async def set_excluded(connection: Connection, ticket_id: int, *, excluded: bool) -> bool:
    """False if the ticket was so already, or is not open."""
    return bool(
        await connection.fetchval(
            """update punctual.tickets set exclude_from_autoclose = $2
               where id = $1 and status = 'open' and exclude_from_autoclose <> $2
               returning true""",
            ticket_id,
            excluded,
        )
    )


# --- closing


async def mark_closing(
    connection: Connection,
    ticket_id: int,
    cause: CloseCause,
    closed_by_id: int | None,
    reason: str | None,
) -> Ticket | None:
    """Decide that the ticket closes. None if it is not open: somebody was faster."""
    record = await connection.fetchrow(
        f"""update punctual.tickets t set status = 'closing', close_cause = $2, closed_by_id = $3,
                   close_reason = $4, attention = null
            where t.id = $1 and t.status = 'open' returning {TICKET}""",
        ticket_id,
        cause.value,
        closed_by_id,
        reason,
    )
    return read_one(Ticket, record)


async def mark_expired(connection: Connection, tickets: Sequence[tuple[int, str | None]]) -> None:
    """Their time is up: each (ticket, reason of its request). They must be locked, and open."""
    await connection.execute(
        """update punctual.tickets t set status = 'closing', close_cause = 'expired',
                  closed_by_id = null, close_reason = expired.reason, attention = null
           from unnest($1::bigint[], $2::text[]) as expired (ticket_id, reason)
           where t.id = expired.ticket_id and t.status = 'open'""",
        [ticket_id for ticket_id, _ in tickets],
        [reason for _, reason in tickets],
    )


async def mark_closed(connection: Connection, ticket_id: int) -> tuple[Ticket, int | None] | None:
    """The end. Returns the ticket and, for a timed close, how late the end is in milliseconds."""
    record = await connection.fetchrow(
        f"""update punctual.tickets t set status = 'closed', closed_at = now(), attention = null
            where t.id = $1 and t.status = 'closing' returning {TICKET},
                  (select (extract(epoch from clock_timestamp() - r.auto_close_at) * 1000)::bigint
                   from punctual.close_requests r
                   where r.ticket_id = t.id and r.status = 'expired' and t.close_cause = 'expired'
                   order by r.id desc limit 1) as late_ms""",
        ticket_id,
    )
    return None if record is None else (read(Ticket, record), record["late_ms"])


async def close_all_of_guild(
    connection: Connection, guild_id: int, cause: CloseCause
) -> Sequence[int]:
    """End every ticket of a guild that the bot has left; returns their ids."""
    records = await connection.fetch(
        """update punctual.tickets set status = 'closed', closed_at = now(), attention = null,
                  close_cause = case when status = 'open' then $2 else close_cause end
           where guild_id = $1 and status <> 'closed' returning id""",
        guild_id,
        cause.value,
    )
    return [record["id"] for record in records]


# --- attention


async def set_attention(connection: Connection, ticket_id: int, attention: Params) -> Ticket | None:
    """None if the ticket says so already, or is closed: then nobody need be told again."""
    record = await connection.fetchrow(
        f"""update punctual.tickets t set attention = $2::jsonb
            where t.id = $1 and t.status <> 'closed' and t.attention is distinct from $2::jsonb
            returning {TICKET}""",
        ticket_id,
        json.dumps(dict(attention)),
    )
    return read_one(Ticket, record)


async def clear_attention(connection: Connection, ticket_id: int) -> None:
    await connection.execute(
        """update punctual.tickets set attention = null
           where id = $1 and attention is not null and status <> 'closed'""",
        ticket_id,
    )


async def count_attention(connection: Connection, guild_id: int) -> int:
    return await connection.fetchval(
        """select count(*) from punctual.tickets
           where guild_id = $1 and status <> 'closed' and attention is not null""",
        guild_id,
    )
