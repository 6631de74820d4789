"""Server-sent events: what has changed of the page, as soon as it has."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import datetime

from aiohttp import web

from demo.page.looking import Looking, looking
from demo.page.regions import Regions
from demo.services import DemoServices

TOGETHER_S = 0.02
"""What changes at once is sent at once."""
KEEP_ALIVE_S = 15.0


class Events:
    def __init__(self, services: DemoServices, regions: Regions) -> None:
        self._services = services
        self._regions = regions

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Until the visitor looks elsewhere: then the page asks anew."""
        view = looking(self._services.guild, dict(request.query))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with suppress(ConnectionError):
            await self._send_for_ever(response, view)
        return response

    async def _send_for_ever(self, response: web.StreamResponse, view: Looking) -> None:
        sent: dict[str, str] = {}
        while True:
            regions = self._regions.render(view)
            changed = {name: text for name, text in regions.items() if sent.get(name) != text}
            sent = regions
            if changed:
                await response.write(_event(changed, self._services.observer.now()))
            try:
                async with asyncio.timeout(KEEP_ALIVE_S):
                    await self._services.discord.changes.next()
                await asyncio.sleep(TOGETHER_S)
            except TimeoutError:
                await response.write(b": still here\n\n")


def _event(regions: dict[str, str], now: datetime) -> bytes:
    data = {"now": round(now.timestamp() * 1000), "regions": regions}
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
