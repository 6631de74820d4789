"""`guild_settings`: what a server has chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from domains.ticket_lifecycle.models import GuildSettings
from domains.ticket_lifecycle.store.rows import GUILD, read, read_one

if TYPE_CHECKING:
    from domains.database import Connection


async def settings(connection: Connection, guild_id: int) -> GuildSettings:
    record = await connection.fetchrow(
        f"select {GUILD} from punctual.guild_settings g where g.guild_id = $1", guild_id
    )
    return read_one(GuildSettings, record) or GuildSettings(guild_id)


async def lock(connection: Connection, guild_id: int) -> GuildSettings:
    """Make the guild's row if need be, and hold it: openings of one guild follow each other."""
    record = await connection.fetchrow(
        f"""insert into punctual.guild_settings as g (guild_id) values ($1)
            on conflict (guild_id) do update set guild_id = excluded.guild_id
            returning {GUILD}""",
        guild_id,
    )
    assert record is not None
    return read(GuildSettings, record)


async def change_policy(
    connection: Connection, guild_id: int, policy: str, unset: Sequence[str]
) -> GuildSettings:
    """Merge what is set into the JSON that is there, and take out what no longer is."""
    await lock(connection, guild_id)
    record = await connection.fetchrow(
        f"""update punctual.guild_settings g set policy = (policy || $2::jsonb) - $3::text[]
            where guild_id = $1 returning {GUILD}""",
        guild_id,
        policy,
        list(unset),
    )
    assert record is not None
    return read(GuildSettings, record)


async def change(
    connection: Connection, guild_id: int, changes: Mapping[str, object]
) -> GuildSettings:
    """Write only what was changed: two who change different things at once lose nothing."""
    await lock(connection, guild_id)
    record = await connection.fetchrow(
        f"""update punctual.guild_settings g set
                support_role_ids = case when $2 then $3::bigint[] else support_role_ids end,
                category_id = case when $4 then $5::bigint else category_id end,
                log_channel_id = case when $6 then $7::bigint else log_channel_id end,
                reply_keeps_open = case when $8 then $9::boolean else reply_keeps_open end,
                keep_deleted = case when $10 then $11::boolean else keep_deleted end,
                locale = case when $12 then $13::text else locale end
            where guild_id = $1 returning {GUILD}""",
        guild_id,
        *(
            value
            for name in (
                "support_role_ids",
                "category_id",
                "log_channel_id",
                "reply_keeps_open",
                "keep_deleted",
                "locale",
            )
            for value in (name in changes, changes.get(name))
        ),
    )
    assert record is not None
    return read(GuildSettings, record)
