"""Whether Discord is there, and whether all it said has been heard.

What fails while it is not there costs no attempt. What was said while nobody listened is read at
the deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from domains.tasks import wait_at_most
from domains.ticket_lifecycle.channels import DiscordAwayError, DiscordFailedError
from domains.ticket_lifecycle.missed_messages import MissedMessages


class DiscordStatus:
    """As the gateway tells it; until that has told anything, Discord is there."""

    def __init__(self) -> None:
        self._connected = asyncio.Event()
        self._connected.set()
        self.misses = MissedMessages()
        self._noting = 0
        self._all_noted = asyncio.Event()
        self._all_noted.set()

    @property
    def connected(self) -> bool:
        return self._connected.is_set()

    def set(self, *, connected: bool) -> None:
        if connected:
            self._connected.set()
        else:
            self._connected.clear()

    async def wait(self, seconds: float) -> None:
        """Until it is connected, but no longer than that."""
        await wait_at_most(self._connected, seconds)

    @contextmanager
    def translate_errors(self) -> Generator[None]:
        """Raises DiscordAwayError for a DiscordFailedError while there is no connection."""
        try:
            yield
        except DiscordFailedError as error:
            if self.connected or isinstance(error, DiscordAwayError):
                raise
            raise DiscordAwayError(str(error)) from error

    # --- messages that are being noted, and that went by

    @contextmanager
    def noting(self, guild_id: int) -> Generator[None]:
        """While a message of a server is being noted. If that fails, it may have gone by."""
        self._noting += 1
        self._all_noted.clear()
        try:
            yield
        except BaseException:
            self.misses.note(guild_id)
            raise
        finally:
            self._noting -= 1
            if not self._noting:
                self._all_noted.set()

    async def wait_until_noted(self, seconds: float) -> bool:
        """Until all that has been heard is noted too; False if that takes longer."""
        return await wait_at_most(self._all_noted, seconds)
