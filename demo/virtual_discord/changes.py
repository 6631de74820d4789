"""Lets whoever shows or waits for something know that it may have changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class ChangeSignal:
    """Those who wait look again at each notification; nobody looks in vain in between."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def notify(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def next(self) -> None:
        """Until something changes from now on."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)

    async def until(self, condition: Callable[[], T], within_s: float) -> T | None:
        """The first truthy value of `condition`, or None if it does not come in time."""
        try:
            async with asyncio.timeout(within_s):
                while not (found := condition()):
                    await self.next()
                return found
        except TimeoutError:
            return None
