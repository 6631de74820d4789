"""Waiting for what is bound to happen, instead of sleeping as long as it might take."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

POLL_S = 0.02


async def eventually(
    condition: Callable[[], Awaitable[bool] | bool], timeout_s: float = 10.0
) -> None:
    """Return as soon as `condition` holds; fail if it does not within `timeout_s`."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while True:
        answer = condition()
        if inspect.isawaitable(answer):
            answer = await answer
        if answer:
            return
        if loop.time() > deadline:
            raise AssertionError(f"it did not come true within {timeout_s:g} s")
        await asyncio.sleep(POLL_S)
