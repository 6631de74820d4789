"""`blocks`: who may not open tickets in a server. One that is over counts no more, even while its
row waits for its timer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from domains.ticket_lifecycle.models import Block
from domains.ticket_lifecycle.store.rows import BLOCK, read, read_one

if TYPE_CHECKING:
    from domains.database import Connection


async def of_member(connection: Connection, guild_id: int, member_id: int) -> Block | None:
    record = await connection.fetchrow(
        f"""select {BLOCK} from punctual.blocks b
            where b.guild_id = $1 and b.member_id = $2
              and (b.ends_at is null or b.ends_at > clock_timestamp())""",
        guild_id,
        member_id,
    )
    return read_one(Block, record)


async def of_guild(
    connection: Connection, guild_id: int, limit: int, offset: int
) -> tuple[Sequence[Block], int]:
    """A page, soonest end first, and how many there are in all."""
    records = await connection.fetch(
        f"""select {BLOCK} from punctual.blocks b
            where b.guild_id = $1 and (b.ends_at is null or b.ends_at > clock_timestamp())
            order by b.ends_at nulls last, b.id limit $2 offset $3""",
        guild_id,
        limit,
        offset,
    )
    total = await connection.fetchval(
        """select count(*) from punctual.blocks
           where guild_id = $1 and (ends_at is null or ends_at > clock_timestamp())""",
        guild_id,
    )
    return [read(Block, record) for record in records], total


async def put(
    connection: Connection,
    guild_id: int,
    member_id: int,
    *,
    blocked_by_id: int,
    reason: str | None,
    lasting: timedelta | None,
) -> Block:
    """A member has one block: another takes its place. The end is PostgreSQL's own time, in whole
    milliseconds as the job's key has it."""
    record = await connection.fetchrow(
        f"""insert into punctual.blocks as b (guild_id, member_id, blocked_by_id, reason, ends_at)
            values ($1, $2, $3, $4, date_trunc('milliseconds', now() + $5::interval))
            on conflict (guild_id, member_id) do update set
                blocked_by_id = excluded.blocked_by_id, reason = excluded.reason,
                ends_at = excluded.ends_at, blocked_at = now()
            returning {BLOCK}""",
        guild_id,
        member_id,
        blocked_by_id,
        reason,
        lasting,
    )
    assert record is not None
    return read(Block, record)


async def delete(connection: Connection, guild_id: int, member_id: int) -> Block | None:
    record = await connection.fetchrow(
        f"""delete from punctual.blocks b where b.guild_id = $1 and b.member_id = $2
            returning {BLOCK}""",
        guild_id,
        member_id,
    )
    return read_one(Block, record)


async def end(connection: Connection, block_ids: Sequence[int]) -> None:
    """Those whose time is up."""
    await connection.execute(
        "delete from punctual.blocks where id = any($1::bigint[])", list(block_ids)
    )
