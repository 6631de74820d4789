"""Whether Discord is connected. What fails while it is not costs no attempt."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from domains.tasks import wait_at_most
from domains.ticket_lifecycle.channels import DiscordAwayError, DiscordFailedError


class DiscordStatus:
    """As the gateway reports it; until the first report, Discord counts as connected."""

    def __init__(self) -> None:
        self._connected = asyncio.Event()
        self._connected.set()

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
            if self.connected:
                raise
            raise DiscordAwayError(str(error)) from error
