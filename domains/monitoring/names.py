"""What people call servers, members and channels, as far as it is known without asking Discord."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Names(Protocol):
    """Implemented once, in `cogs`. Names are what strangers typed: safe to print, but no more."""

    def server(self, guild_id: int, /) -> str | None: ...

    def member(self, guild_id: int, user_id: int, /) -> str | None:
        """None if it is not known (yet): it may be by the next time."""
        ...

    def channel(self, guild_id: int, channel_id: int, /) -> str | None: ...

    def servers(self) -> Mapping[int, str]:
        """All that the bot is in now."""
        ...

    def members_named(self, text: str, limit: int, /) -> Sequence[int]:
        """Ids of known members whose names have this text in them, in capitals or not."""
        ...


class NoNames:
    """Where Discord is not there to ask."""

    def server(self, _guild_id: int) -> str | None:
        return None

    def member(self, _guild_id: int, _user_id: int) -> str | None:
        return None

    def channel(self, _guild_id: int, _channel_id: int) -> str | None:
        return None

    def servers(self) -> Mapping[int, str]:
        return {}

    def members_named(self, _text: str, _limit: int) -> Sequence[int]:
        return ()
