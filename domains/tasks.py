"""Tasks that outlive the event that started them."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine
from typing import Any

ASK_AGAIN_S = 0.2


def detached(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task with a context of its own: it must not inherit that of the event that happened to
    start it. (The `context=` argument would still copy what task factories add.)"""
    return contextvars.Context().run(asyncio.create_task, coroutine)


async def cancel(*tasks: asyncio.Task[None]) -> None:
    """Cancel them and wait until they have ended, however they end.

    Asked again if need be: a cancellation that comes with the answer that a task was waiting for
    can be lost in a library underneath.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=ASK_AGAIN_S)
    await asyncio.gather(*tasks, return_exceptions=True)


async def wait_at_most(event: asyncio.Event, seconds: float) -> bool:
    """True if the event came in time. (`asyncio.wait_for` can swallow a cancellation.)"""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
