"""Tasks that outlive the event that started them."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine
from typing import Any


def detached(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task with a context of its own: it must not inherit that of the event that happened to
    start it. (The `context=` argument would still copy what task factories add.)"""
    return contextvars.Context().run(asyncio.create_task, coroutine)


async def cancel(*tasks: asyncio.Task[None]) -> None:
    """Cancel them and wait until they have ended, however they end."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
