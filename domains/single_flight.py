"""However many ask at once, it is read once (what Go calls singleflight)."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Who asks while an answer is under way gets that one; it comes even if nobody waits any
    more."""

    def __init__(self) -> None:
        self._under_way: asyncio.Task[T] | None = None

    async def do(self, read: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if self._under_way is None or self._under_way.done():
            # In a context of its own, as it is not only of the one who asked first.
            self._under_way = contextvars.Context().run(asyncio.create_task, read())
        return await asyncio.shield(self._under_way)
