"""Whether Discord is there. What fails while it is not costs no attempt."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from domains.tasks import wait_at_most
from domains.ticket_lifecycle.channels import DiscordAwayError, DiscordFailedError


class DiscordConnection:
    """As the gateway tells it; until that has told anything, Discord is there."""

    def __init__(self) -> None:
        self._stands = asyncio.Event()
        self._stands.set()

    @property
    def stands(self) -> bool:
        return self._stands.is_set()

    def note(self, *, stands: bool) -> None:
        if stands:
            self._stands.set()
        else:
            self._stands.clear()

    async def wait(self, seconds: float) -> None:
        """Until it stands, but no longer than that."""
        await wait_at_most(self._stands, seconds)

    @contextmanager
    def needed(self) -> Generator[None]:
        """Raises DiscordAwayError for a DiscordFailedError while there is no connection."""
        try:
            yield
        except DiscordFailedError as error:
            if self.stands:
                raise
            raise DiscordAwayError(str(error)) from error
