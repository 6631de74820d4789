"""Blocking work off the event loop, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class OneThread:
    """Functions run one after the other, in a thread of their own.

    `asyncio.to_thread` would not do: a cancelled caller leaves its function running, and what is
    called next, to clean up, would run beside it.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="transcript")

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        call = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    def close(self) -> None:
        """What was given still runs; the event loop doesn't wait for it."""
        self._executor.shutdown(wait=False)
