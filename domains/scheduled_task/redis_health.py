"""Is Redis there? One place knows, says so once at the loss and once at the return, and lets
everybody else wait without spinning."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,  # noqa: A004  # redis-py's name for it
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,  # noqa: A004
)

from domains.outage_log import OutageLog
from domains.tasks import wait_at_most

if TYPE_CHECKING:
    from domains.scheduled_task.redis_client import RedisClient

log = logging.getLogger(__name__)

PROBE_EVERY_S = 1.0
PROBE_WHILE_AWAY_S = 0.25
PROBE_KEY_TTL_S = 60

_AWAY = (
    OSError,
    ConnectionError,
    TimeoutError,
    AuthenticationError,
    BusyLoadingError,
    OutOfMemoryError,
    ReadOnlyError,
)
_AWAY_REPLIES = re.compile(
    r"(?:^|of pipeline caused error: \(['\"])"  # redis-py's own words before those of Redis
    "(?:MISCONF|OOM|NOREPLICAS|MASTERDOWN|READONLY|LOADING|NOAUTH|UNBLOCKED)"
)


def means_away(error: Exception) -> bool:
    """Whether Redis cannot keep timers now, as opposed to refusing one wrong command."""
    return isinstance(error, _AWAY) or (
        isinstance(error, ResponseError) and _AWAY_REPLIES.search(str(error)) is not None
    )


class RedisHealth:
    """Only a Redis that takes writes is available: a full or read-only one keeps no timers."""

    def __init__(
        self,
        redis: RedisClient,
        installation_id: str,
        *,
        on_loss: Callable[[], None] | None = None,
    ) -> None:
        self._redis = redis
        self._probe_key = f"punctual:{installation_id}:probe"
        self._available = asyncio.Event()
        self._doubted = asyncio.Event()
        self._released = False
        self._is_new = False
        self._outage = OutageLog(
            log,
            "Redis not available - scheduled tasks will be disabled; deadlines are kept in "
            "PostgreSQL, and honoured",
            "Redis is back - scheduled tasks go on",
            on_loss=on_loss,
        )

    @property
    def available(self) -> bool:
        return self._available.is_set() and not self._released

    async def check(self) -> bool:
        """Ask Redis now."""
        try:
            if self.available:
                await self._redis.ping()
            else:
                await self._redis.set(self._probe_key, 1, ex=PROBE_KEY_TTL_S)
                self._is_new = True
        except Exception as error:  # whatever it is: without Redis, deadlines are kept all the same
            self._set_away(error)
            return False
        self._outage.back()
        self._available.set()
        return True

    def report(self, error: Exception) -> bool:
        """Tell of a failure that was met. True if it means that Redis is away."""
        if not means_away(error):
            return False
        self._set_away(error)
        return True

    def note_emptied(self) -> None:
        """What was written a moment ago is gone: Redis was emptied, and the timers are lost."""
        self._is_new = True
        self._doubted.set()

    def _set_away(self, error: Exception) -> None:
        if not self._released:
            self._outage.lost(error)
            self._available.clear()
            self._doubted.set()

    async def wait_until_available(self) -> None:
        """Returns at once after `release`, so that nothing waits for Redis to shut down."""
        if not self._released:
            await self._available.wait()

    def release(self) -> None:
        self._released = True
        self._available.set()

    async def watch(self, on_return: Callable[[], Awaitable[None]]) -> None:
        """Probe for ever; await `on_return` each time Redis comes back, or was emptied."""
        while True:
            if await self.check() and self._is_new:
                self._is_new = False
                await on_return()
            self._doubted.clear()
            if not self.available:
                await asyncio.sleep(PROBE_WHILE_AWAY_S)
                continue
            await wait_at_most(self._doubted, PROBE_EVERY_S)
