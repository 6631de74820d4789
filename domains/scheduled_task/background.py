"""Loops that go on whatever happens, and say once that PostgreSQL is away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from domains.database import DatabaseUnavailable
from domains.outage_log import OutageLog
from domains.tasks import cancel, detached

log = logging.getLogger(__name__)

Chore = Callable[[], Awaitable[object]]


class Background:
    def __init__(self, database_outage: OutageLog) -> None:
        self._database_outage = database_outage
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, loop: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(detached(loop))

    def every(self, pause: Callable[[float], float], chore: Chore, *, writes: bool = False) -> None:
        """For ever: `pause` is told how long the last time took, in seconds, and says how long to
        wait for the next."""
        self.start(self._repeat(pause, chore, writes=writes))

    async def _repeat(self, pause: Callable[[float], float], chore: Chore, *, writes: bool) -> None:
        loop = asyncio.get_running_loop()
        took = 0.0
        while True:
            await asyncio.sleep(pause(took))
            began = loop.time()
            await self.guarded(chore, writes=writes)
            took = loop.time() - began

    async def guarded(self, chore: Chore, *, writes: bool = False) -> None:
        """Never raises: it comes again. Only a chore that writes says that PostgreSQL is back: in
        a failover it can be read for a while, and takes no writes."""
        try:
            await chore()
        except DatabaseUnavailable as error:
            self._database_outage.lost(error)
        except Exception:
            log.exception("A chore of the scheduler failed; it comes again")
        else:
            if writes:
                self._database_outage.back()

    async def stop(self) -> None:
        await cancel(*self._tasks)
        self._tasks.clear()
