"""Keeping a member from opening tickets, for a time or until further notice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from domains.database import Database
from domains.errors import UserError
from domains.ticket_lifecycle.close_delay import parse_seconds
from domains.ticket_lifecycle.errors import InvalidDelayError
from domains.ticket_lifecycle.models import Block
from domains.ticket_lifecycle.store import blocks
from domains.ticket_lifecycle.text_input import MAX_REASON_LENGTH, sanitize

BLOCK: Final = "block"
"""The owner of a block's timer, as `Transaction.touch` has it."""
SHORTEST: Final = timedelta(minutes=1)
LONGEST: Final = timedelta(days=365)
SUGGESTIONS: Final = ("1h", "1d", "7d", "30d")


class NotBlockedError(UserError):
    def __init__(self, member_id: int) -> None:
        super().__init__("blocking.not_blocked", member=f"<@{member_id}>")


def parse_block_length(text: str | None) -> timedelta | None:
    """As a `close_delay` is written; nothing or `0` is no end (None). Raises InvalidDelayError."""
    seconds = parse_seconds(text)
    if seconds == 0:
        return None
    if seconds is None or not SHORTEST.total_seconds() <= seconds <= LONGEST.total_seconds():
        raise InvalidDelayError("blocking.invalid_length", least=SHORTEST, most=LONGEST)
    return timedelta(seconds=seconds)


class BlockMember:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def block(
        self,
        guild_id: int,
        member_id: int,
        blocked_by_id: int,
        reason: str | None = None,
        lasting: timedelta | None = None,
    ) -> tuple[Block, bool]:
        """Returns the block, and whether it takes the place of another."""
        async with self._database.transaction() as transaction:
            connection = transaction.connection
            earlier = await blocks.of_member(connection, guild_id, member_id)
            block = await blocks.put(
                connection,
                guild_id,
                member_id,
                blocked_by_id=blocked_by_id,
                reason=sanitize(reason, MAX_REASON_LENGTH) or None,
                lasting=lasting,
            )
            transaction.touch(BLOCK, block.id)
        return block, earlier is not None

    async def unblock(self, guild_id: int, member_id: int) -> None:
        """Raises NotBlocked."""
        async with self._database.transaction() as transaction:
            block = await blocks.delete(transaction.connection, guild_id, member_id)
            if block is None:
                raise NotBlockedError(member_id)
            transaction.touch(BLOCK, block.id)

    async def blocked(
        self, guild_id: int, limit: int, offset: int = 0
    ) -> tuple[Sequence[Block], int]:
        """A page of the server's blocks, soonest end first, and how many there are in all."""
        async with self._database.connection() as connection:
            return await blocks.of_guild(connection, guild_id, limit, offset)
