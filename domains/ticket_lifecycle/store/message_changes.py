"""`message_changes`: what members deleted and edited, until their ticket is closed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from domains.transcripts import ChangeKind, MessageChange, Thread

if TYPE_CHECKING:
    from domains.database import Connection

MAX_OF_A_TICKET = 500
"""However often somebody edits, a ticket takes no more room than that."""


async def add(
    connection: Connection, guild_id: int, channel_id: int, change: MessageChange
) -> bool:
    """True if it was kept: the channel is an unclosed ticket's, and its server wants that."""
    return bool(
        await connection.fetchval(
            """insert into punctual.message_changes
                   (guild_id, ticket_id, message_id, thread_id, thread_name, kind, sent_at,
                    author_id, author_name, content, mentions, filenames)
               select t.guild_id, t.id, $4, $5, $6, $7, $8, $9, $10, $11, $12::jsonb, $13
               from punctual.tickets t
               left join punctual.guild_settings g on g.guild_id = t.guild_id
               where t.guild_id = $1 and t.channel_id = $2 and t.status <> 'closed'
                 and coalesce(g.keep_deleted, true)
                 and (select count(*) from punctual.message_changes c where c.ticket_id = t.id) < $3
               returning true""",
            guild_id,
            channel_id,
            MAX_OF_A_TICKET,
            change.message_id,
            change.thread.id if change.thread else None,
            change.thread.name if change.thread else None,
            change.kind.value,
            change.sent_at,
            change.author_id,
            change.author_name,
            change.content,
            json.dumps(dict(change.mentions)),
            list(change.filenames),
        )
    )


async def of_ticket(connection: Connection, ticket_id: int) -> Sequence[MessageChange]:
    """In the order in which they happened."""
    records = await connection.fetch(
        """select kind, message_id, thread_id, thread_name, at, sent_at, author_id, author_name,
                  content, mentions, filenames
           from punctual.message_changes where ticket_id = $1 order by id""",
        ticket_id,
    )
    return [
        MessageChange(
            kind=ChangeKind(record["kind"]),
            message_id=record["message_id"],
            thread=Thread(record["thread_id"], record["thread_name"] or "")
            if record["thread_id"]
            else None,
            at=record["at"],
            sent_at=record["sent_at"],
            author_id=record["author_id"],
            author_name=record["author_name"],
            content=record["content"],
            mentions=json.loads(record["mentions"]),
            filenames=tuple(record["filenames"]),
        )
        for record in records
    ]


async def has_of_others(connection: Connection, ticket_id: int, opener_id: int) -> bool:
    """Whether anybody but the opener, or nobody knows who, took back what they wrote."""
    return await connection.fetchval(
        """select exists (select from punctual.message_changes
                          where ticket_id = $1 and author_id is distinct from $2)""",
        ticket_id,
        opener_id,
    )


async def delete_of(connection: Connection, ticket_ids: Sequence[int]) -> None:
    """The tickets are over: what was to be kept is in their transcripts."""
    await connection.execute(
        "delete from punctual.message_changes where ticket_id = any($1::bigint[])",
        list(ticket_ids),
    )
