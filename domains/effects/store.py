"""All SQL of the outbox. A row is an effect that is still to be done; done is gone."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from domains.effects.effect import Effect, Lane

if TYPE_CHECKING:
    import asyncpg

    from domains.database import Connection

EFFECT = """e.id, e.guild_id, e.ticket_id, e.kind, e.subject_id, e.nonce, e.revision, e.attempts,
    e.failures"""
FREE = "(e.lease_until is null or e.lease_until < clock_timestamp())"
IS_HEAD = """not exists (select from punctual.effects p
    where p.ticket_id = e.ticket_id and p.lane = e.lane and p.id < e.id)"""


def _effect(record: asyncpg.Record) -> Effect:
    return Effect(*record.values())


# --- writing them


async def add(
    connection: Connection,
    ticket_id: int,
    kind: str,
    subject_id: int = 0,
    *,
    lane: Lane = Lane.STORY,
) -> None:
    """What is on the list already, and about the same, is done anew instead of twice."""
    await add_many(connection, [ticket_id], [(kind, subject_id, lane)])


async def add_many(
    connection: Connection, ticket_ids: Sequence[int], steps: Sequence[tuple[str, int, Lane]]
) -> None:
    """The same steps, in their order, for each of the tickets."""
    await connection.execute(
        """insert into punctual.effects (guild_id, ticket_id, kind, subject_id, lane)
           select t.guild_id, t.id, step.kind, step.subject_id, step.lane
           from punctual.tickets t,
                unnest($2::text[], $3::bigint[], $4::smallint[])
                    with ordinality as step (kind, subject_id, lane, place)
           where t.id = any($1::bigint[])
           order by t.id, step.place
           on conflict (ticket_id, kind, subject_id) do update set
               revision = effects.revision + 1, due_at = least(effects.due_at, now())""",
        list(ticket_ids),
        [kind for kind, _, _ in steps],
        [subject_id for _, subject_id, _ in steps],
        [int(lane) for _, _, lane in steps],
    )
    await _hurry(connection, ticket_ids, {lane for _, _, lane in steps})


async def add_about(
    connection: Connection,
    kind: str,
    subjects: Sequence[tuple[int, int]],
    *,
    lane: Lane = Lane.STORY,
) -> None:
    """One effect for each (ticket, subject)."""
    await connection.execute(
        """insert into punctual.effects (guild_id, ticket_id, kind, subject_id, lane)
           select t.guild_id, t.id, $1, about.subject_id, $4
           from unnest($2::bigint[], $3::bigint[]) as about (ticket_id, subject_id)
           join punctual.tickets t on t.id = about.ticket_id
           order by t.id
           on conflict (ticket_id, kind, subject_id) do update set
               revision = effects.revision + 1, due_at = least(effects.due_at, now())""",
        kind,
        [ticket_id for ticket_id, _ in subjects],
        [subject_id for _, subject_id in subjects],
        int(lane),
    )
    await _hurry(connection, [ticket_id for ticket_id, _ in subjects], {lane})


async def _hurry(
    connection: Connection, ticket_ids: Sequence[int], lanes: Collection[Lane]
) -> None:
    """What has failed, and was to be tried again later, must not hold up what follows it now."""
    await connection.execute(
        """update punctual.effects set due_at = now()
           where ticket_id = any($1::bigint[]) and lane = any($2::smallint[]) and failures > 0
             and due_at > now()""",
        list(ticket_ids),
        [int(lane) for lane in lanes],
    )


async def add_about_once(
    connection: Connection, kind: str, subjects: Sequence[tuple[int, int]], *, lane: Lane
) -> None:
    """One effect for each (ticket, subject) for which there is none yet."""
    await connection.execute(
        """insert into punctual.effects (guild_id, ticket_id, kind, subject_id, lane)
           select t.guild_id, t.id, $1, about.subject_id, $4
           from unnest($2::bigint[], $3::bigint[]) as about (ticket_id, subject_id)
           join punctual.tickets t on t.id = about.ticket_id
           order by t.id
           on conflict (ticket_id, kind, subject_id) do nothing""",
        kind,
        [ticket_id for ticket_id, _ in subjects],
        [subject_id for _, subject_id in subjects],
        int(lane),
    )


async def drop(connection: Connection, ticket_ids: Sequence[int], kinds: Collection[str]) -> None:
    """Take back what nobody is at. What is being done finds out by itself that it is moot."""
    await connection.execute(
        f"""delete from punctual.effects e
            where e.ticket_id = any($1::bigint[]) and e.kind = any($2::text[]) and {FREE}""",
        list(ticket_ids),
        list(kinds),
    )


async def drop_all(connection: Connection, ticket_ids: Sequence[int]) -> None:
    await connection.execute(
        "delete from punctual.effects where ticket_id = any($1::bigint[])", list(ticket_ids)
    )


async def retry_now(connection: Connection, ticket_id: int) -> bool:
    """With all attempts anew. True if there was something that waited."""
    return bool(
        await connection.fetchval(
            """with retried as (
                   update punctual.effects set failures = 0, due_at = now()
                   where ticket_id = $1 and failures > 0 returning 1)
               select count(*) from retried""",
            ticket_id,
        )
    )


async def retry_guild_now(connection: Connection, guild_id: int) -> None:
    """Its server is there again: what waited for that goes on."""
    await connection.execute(
        """update punctual.effects set due_at = now()
           where guild_id = $1 and failures = 0 and due_at > now()""",
        guild_id,
    )


# --- doing them


async def guilds_with_due(connection: Connection, after_guild: int, at_most: int) -> Sequence[int]:
    """The next guilds that have something to be done now, by whomever."""
    records = await connection.fetch(
        """with recursive guilds (guild_id) as (
               (select guild_id from punctual.effects
                where guild_id > $1 and due_at <= clock_timestamp() order by guild_id limit 1)
               union all
               select (select e.guild_id from punctual.effects e
                       where e.guild_id > g.guild_id and e.due_at <= clock_timestamp()
                       order by e.guild_id limit 1)
               from guilds g where g.guild_id is not null)
           select guild_id from guilds where guild_id is not null limit $2""",
        after_guild,
        at_most,
    )
    return [record["guild_id"] for record in records]


async def claim(
    connection: Connection,
    *,
    guild_ids: Sequence[int],
    kinds: Collection[str],
    token: str,
    lease: timedelta,
    at_most: int,
    at_most_a_guild: int,
) -> list[Effect]:
    """Take what is due, at most so many in all and so many of one guild at once, by whomever. Of
    the lanes beside its tickets' stories a guild has as many once more, so that no deadline waits
    for transcripts. A kind that is not named, a newer version's, is left to who knows it.

    The guilds that come first come to their turn first. It looks at each guild's rows by index
    only, so that it costs the same however long the list is.
    """
    records = await connection.fetch(
        f"""with ready as (
                select free.id, g.place, row_number() over (
                    partition by g.guild_id order by sort.is_story, free.due_at, free.id) as turn
                from unnest($3::bigint[]) with ordinality as g (guild_id, place)
                cross join (values (false), (true)) as sort (is_story)
                cross join lateral (
                    select count(*) as busy from punctual.effects e
                    where e.guild_id = g.guild_id and (e.lane = {Lane.STORY:d}) = sort.is_story
                      and e.lease_until > clock_timestamp()) as held
                cross join lateral (
                    select e.id, e.due_at from punctual.effects e
                    where e.guild_id = g.guild_id and (e.lane = {Lane.STORY:d}) = sort.is_story
                      and e.due_at <= clock_timestamp() and {FREE} and {IS_HEAD}
                      and e.kind = any($6::text[])
                    order by e.due_at, e.id limit greatest(0, $5 - held.busy)) as free
            ), chosen as (
                select id from ready order by turn, place limit $4
            ), taken as (
                select e.id from punctual.effects e where e.id in (select id from chosen) and {FREE}
                for update skip locked
            )
            update punctual.effects e set attempts = e.attempts + 1, lease_token = $1,
                   lease_until = clock_timestamp() + $2::interval
            from taken where e.id = taken.id
            returning {EFFECT}""",
        token,
        lease,
        list(guild_ids),
        at_most,
        at_most_a_guild,
        list(kinds),
    )
    return [_effect(record) for record in records]


async def claim_of_ticket(
    connection: Connection,
    ticket_id: int,
    lane: Lane,
    *,
    kinds: Collection[str],
    token: str,
    lease: timedelta,
) -> Effect | None:
    """Take the ticket's next effect, whoever's turn it is, if it is due, of one of these kinds,
    and nobody is at it."""
    record = await connection.fetchrow(
        f"""update punctual.effects e set attempts = e.attempts + 1, lease_token = $3,
                   lease_until = clock_timestamp() + $4::interval
            where e.id = (select e.id from punctual.effects e
                          where e.ticket_id = $1 and e.lane = $2 order by e.id limit 1)
              and {FREE} and e.due_at <= clock_timestamp() and e.kind = any($5::text[])
            returning {EFFECT}""",
        ticket_id,
        int(lane),
        token,
        lease,
        list(kinds),
    )
    return None if record is None else _effect(record)


async def is_in_progress(
    connection: Connection, ticket_id: int, lane: Lane, kinds: Collection[str]
) -> bool:
    """Whether somebody is at it, or whoever knows these kinds is about to be."""
    return await connection.fetchval(
        """select exists (select from punctual.effects e
                          where e.ticket_id = $1 and e.lane = $2 and
                              (e.lease_until > clock_timestamp()
                               or (e.due_at <= clock_timestamp() and e.kind = any($3::text[])))
                              and not exists (select from punctual.effects p
                                              where p.ticket_id = $1 and p.lane = $2
                                                and p.id < e.id))""",
        ticket_id,
        int(lane),
        list(kinds),
    )


async def renew(
    connection: Connection, token: str, effect_ids: Collection[int], lease: timedelta
) -> None:
    """For all that this runner is at."""
    await connection.execute(
        """update punctual.effects set lease_until = clock_timestamp() + $3::interval
           where lease_token = $1 and id = any($2::bigint[])""",
        token,
        list(effect_ids),
        lease,
    )


async def give_back(
    connection: Connection, token: str, held_ids: Collection[int], left: timedelta
) -> bool:
    """What is leased to this runner, with less than so much left, though it is not at it. True if
    there was anything."""
    given_back = await connection.fetchval(
        """with given_back as (
               update punctual.effects set lease_until = null, lease_token = null
               where lease_token = $1 and id <> all($2::bigint[])
                 and lease_until < clock_timestamp() + $3::interval returning 1)
           select count(*) from given_back""",
        token,
        list(held_ids),
        left,
    )
    return bool(given_back)


async def release(connection: Connection, token: str) -> None:
    await connection.execute(
        "update punctual.effects set lease_until = null, lease_token = null where lease_token = $1",
        token,
    )


async def lock_ticket(connection: Connection, ticket_id: int) -> None:
    """Before the effect's own row, as everybody does who writes effects: or two would wait for
    each other."""
    await connection.execute(
        "select from punctual.tickets where id = $1 for no key update", ticket_id
    )


async def finish(connection: Connection, effect: Effect, token: str) -> bool:
    """It is done, and goes; or stays, if it was asked for again meanwhile: then with a nonce of
    its own, or Discord would take it for what it has. False if the lease was
    lost: somebody else does it again."""
    gone = await connection.fetchval(
        """delete from punctual.effects where id = $1 and lease_token = $2 and revision = $3
           returning true""",
        effect.id,
        token,
        effect.revision,
    )
    if gone:
        return True
    return bool(
        await connection.fetchval(
            """update punctual.effects set lease_until = null, lease_token = null, attempts = 0,
                      failures = 0, due_at = now(), nonce = default
               where id = $1 and lease_token = $2 returning true""",
            effect.id,
            token,
        )
    )


async def postpone(
    connection: Connection,
    effect: Effect,
    token: str,
    *,
    delay: timedelta,
    failed: bool,
    error: Mapping[str, object] | None = None,
) -> None:
    """Give it back until later. If it was only away, it has not been attempted."""
    await connection.execute(
        """update punctual.effects set lease_until = null, lease_token = null,
                  due_at = clock_timestamp() + $3::interval,
                  failures = failures + $4::integer, error = coalesce($5::jsonb, error)
           where id = $1 and lease_token = $2""",
        effect.id,
        token,
        delay,
        int(failed),
        None if error is None else json.dumps(error),
    )


async def someone_waits_for(
    connection: Connection, effect: Effect, optional_kinds: Collection[str]
) -> bool:
    """Whether something essential would have to wait for this effect; all that is not known to be
    optional may be."""
    return await connection.fetchval(
        """select exists (select from punctual.effects e join punctual.effects p on p.id = $1
                          where e.ticket_id = p.ticket_id and e.lane = p.lane and e.id > p.id
                            and e.kind <> all($2::text[]))""",
        effect.id,
        list(optional_kinds),
    )


# --- what people ask


@dataclass(frozen=True, slots=True)
class PendingEffect:
    """What is still to be done for a ticket, and how it fared so far."""

    kind: str
    failures: int
    due_at: datetime
    error: Mapping[str, object] | None
    in_progress: bool


async def of_ticket(connection: Connection, ticket_id: int) -> Sequence[PendingEffect]:
    records = await connection.fetch(
        """select kind, failures, due_at, error, lease_until > clock_timestamp() as in_progress
           from punctual.effects where ticket_id = $1 order by lane, id""",
        ticket_id,
    )
    return [
        PendingEffect(
            kind=record["kind"],
            failures=record["failures"],
            due_at=record["due_at"],
            error=None if record["error"] is None else json.loads(record["error"]),
            in_progress=bool(record["in_progress"]),
        )
        for record in records
    ]


async def next_due(connection: Connection) -> timedelta | None:
    """How long until something that nobody is at is due; None if there is nothing."""
    return await connection.fetchval(
        f"""select e.due_at - clock_timestamp() from punctual.effects e
            where {FREE} and {IS_HEAD} order by e.due_at limit 1"""
    )
