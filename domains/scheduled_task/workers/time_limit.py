"""The time that an attempt may take."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta


class JobTimeoutError(Exception):
    def __init__(self, limit: timedelta) -> None:
        super().__init__(f"it took more than {limit}")


async def within(limit: timedelta, running: Awaitable[None]) -> None:
    """Raises what `running` raises, and JobTimeoutError for the limit's own end."""
    deadline = asyncio.timeout(limit.total_seconds())
    try:
        async with deadline:
            await running
    except TimeoutError:
        if deadline.expired():
            raise JobTimeoutError(limit) from None
        raise
