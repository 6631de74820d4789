"""How many requests of a kind are under way at once, each held for a while."""

from __future__ import annotations

import asyncio

from tests.wire import Call, Discord, Moment


class Gauge:
    def __init__(self, discord: Discord, method: str, path: str, seconds: float) -> None:
        self.now = 0
        self.most = 0
        self._seconds = seconds
        self._rule = discord.on_request(method, path, self._hold, moment=Moment.BEFORE, times=None)

    async def _hold(self, _: Call) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self._seconds)
        finally:
            self.now -= 1

    def remove(self) -> None:
        self._rule.remove()
