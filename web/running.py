"""What was begun by a form, and may take longer than its page waits."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from aiohttp import web

from web.notices import Notice, Tone

ACTION_TIMEOUT_S = 5.0
"""How long a page waits. Saving a transcript may take longer, and goes on by itself."""

Outcome = tuple[Notice, str]
"""What it says, and on which page."""


class Running:
    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Outcome]] = set()

    async def within_time(self, action: Coroutine[None, None, Outcome], page: str) -> Outcome:
        """Its outcome, unless that takes too long: it goes on by itself."""
        task = asyncio.create_task(action)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        done, _ = await asyncio.wait({task}, timeout=ACTION_TIMEOUT_S)
        return task.result() if done else (Notice(Tone.NEUTRAL, key="under_way"), page)

    def _ended(self, task: asyncio.Task[Outcome]) -> None:
        """Its error is of no use once the page has been answered."""
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()

    async def end(self, _application: web.Application) -> None:
        """What is cut short here is taken up by the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
