"""Lets tests await a condition of the stand-in's state instead of sleeping and looking again."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class ChangeSignal:
    """Notifies of every change; whoever waits checks its condition at each notification."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def notify(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def until(self, condition: Callable[[], T], *, within: float, waiting_for: str) -> T:
        """The first truthy value of `condition`; a TimeoutError that says what never came."""
        try:
            async with asyncio.timeout(within):
                while not (found := condition()):
                    future = asyncio.get_running_loop().create_future()
                    self._waiting.add(future)
                    try:
                        await future
                    finally:
                        self._waiting.discard(future)
                return found
        except TimeoutError:
            raise TimeoutError(f"waited {within:g} s for {waiting_for}") from None
