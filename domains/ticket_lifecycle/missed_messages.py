"""Where messages may have gone by unheard: in every server, or in some of them.

A deadline there is decided only after its channel has been read. PostgreSQL is told with the next
heartbeat; until then this process remembers it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Missed:
    everywhere: bool = False
    guild_ids: frozenset[int] = frozenset()
    """If not everywhere."""


NOTHING_MISSED = Missed()


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """What PostgreSQL does not know of at one moment."""

    everywhere: int
    by_guild: Mapping[int, int]
    missed: Missed


class MissedMessages:
    """How often messages may have gone by, since this process began."""

    def __init__(self) -> None:
        self._everywhere = 1  # nobody has listened before this process
        self._recorded_everywhere = 0
        self._by_guild = Counter[int]()
        self._unrecorded_by_guild: dict[int, int] = {}

    def note(self, guild_id: int | None = None) -> None:
        """In one server, or in all."""
        if guild_id is None:
            self._everywhere += 1
        else:
            self._by_guild[guild_id] += 1
            self._unrecorded_by_guild[guild_id] = self._by_guild[guild_id]

    def count(self, guild_id: int) -> int:
        """What it is twice, with nothing missed in between, is the same."""
        return self._everywhere + self._by_guild[guild_id]

    @property
    def unrecorded(self) -> Unrecorded:
        by_guild = dict(self._unrecorded_by_guild)
        everywhere = self._everywhere != self._recorded_everywhere
        missed = Missed(everywhere=True) if everywhere else Missed(False, frozenset(by_guild))
        return Unrecorded(self._everywhere, by_guild, missed)

    def recorded(self, unrecorded: Unrecorded) -> None:
        """What has come since then is still to be recorded."""
        self._recorded_everywhere = unrecorded.everywhere
        for guild_id, count in unrecorded.by_guild.items():
            if self._unrecorded_by_guild.get(guild_id) == count:
                del self._unrecorded_by_guild[guild_id]
