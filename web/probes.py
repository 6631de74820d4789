"""For machines: alive? ready? and the numbers. Without a password, so without a secret, and one
answer a connection: who asks faster than connections are taken has to wait."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import hdrs, web

from domains.monitoring.metrics import Metrics
from domains.monitoring.models import Dependency
from domains.monitoring.monitor import Monitor
from domains.single_flight import SingleFlight
from web.connections import SERVER, close_after

HEADERS = {
    "Cache-Control": "no-store",
    "Server": SERVER,
    "X-Content-Type-Options": "nosniff",
}


class Probes:
    def __init__(self, monitor: Monitor, metrics: Metrics) -> None:
        self._monitor = monitor
        self._metrics = metrics
        self._dependencies = SingleFlight[Sequence[Dependency]]()

    def application(self) -> web.Application:
        application = web.Application()
        application.add_routes(
            [
                web.get("/healthz", self.healthz),
                web.get("/readyz", self.readyz),
                web.get("/metrics", self.metrics),
            ]
        )
        application.on_response_prepare.append(_finish)
        return application

    async def healthz(self, _request: web.Request) -> web.Response:
        """That it answers says it all: the process runs, and its loop too."""
        return web.Response(text="ok\n")

    async def readyz(self, _request: web.Request) -> web.Response:
        """503 while something is away, and says which."""
        dependencies = await self._dependencies.do(self._monitor.dependencies)
        lines = [f"{each.name.lower()}: {each.why or 'ok'}\n" for each in dependencies]
        ready = all(each.is_there for each in dependencies)
        return web.Response(text="".join(lines), status=200 if ready else 503)

    async def metrics(self, request: web.Request) -> web.Response:
        accept = request.headers.get(hdrs.ACCEPT, "")
        text, content_type = await self._metrics.scrape(self._monitor, accept)
        return web.Response(body=text, headers={hdrs.CONTENT_TYPE: content_type})


async def _finish(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    close_after(response)
