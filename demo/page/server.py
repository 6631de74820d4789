"""The page at an address of this machine."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import hdrs, web

from demo.page.actions import MAX_BODY, Actions
from demo.page.events import Events
from demo.page.files import Files
from demo.page.guard import KEY, Guard
from demo.page.regions import Regions
from demo.page.rendering import Templates
from demo.services import DemoServices
from demo.words import Words, preferred
from domains.errors import WRONG_SETTING, StartupError

HOST = "127.0.0.1"
DEFAULT_PORT = 8765
SHUTDOWN_TIMEOUT_S = 1.0
STATIC = Path(__file__).parents[1] / "static"
CLIENT_WORDS = (
    "composer.label",
    "composer.hint",
    "composer.closed",
    "composer.no_command",
    "composer.run",
    "composer.cancel",
    "composer.optional",
    "message.choose",
)


def wanted_port() -> int:
    """What `DEMO_PORT` says. Raises StartupError if that can't be a port."""
    text = os.environ.get("DEMO_PORT") or str(DEFAULT_PORT)
    if not text.isdecimal() or int(text) > 65535:
        raise StartupError("DEMO_PORT: must be a number up to 65535", status=WRONG_SETTING)
    return int(text)


@asynccontextmanager
async def page_served(services: DemoServices, port: int) -> AsyncGenerator[str]:
    """Serve it at this port, or if that is taken, at any; give its URL, which has the key."""
    guard = Guard()
    application = _application(services, guard)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError:
            await web.TCPSite(runner, HOST, 0).start()
        guard.port = runner.addresses[0][1]
        yield f"http://{HOST}:{guard.port}/?{KEY}={guard.key}"
    finally:
        await runner.cleanup()


def _application(services: DemoServices, guard: Guard) -> web.Application:
    templates = Templates()
    regions = Regions(services, templates)
    regions.see_all()

    async def page(request: web.Request) -> web.Response:
        """The frame; all else comes with the events."""
        accepted = request.headers.get(hdrs.ACCEPT_LANGUAGE, "")
        words = Words(request.query.get("lang") or preferred(accepted))
        client_words = {key: words(key, place="{place}", person="{person}") for key in CLIENT_WORDS}
        text = templates.render(
            "page", {"t": words, "dashboard": services.dashboard, "client_words": client_words}
        )
        return web.Response(text=text, content_type="text/html")

    application = web.Application(middlewares=[guard.middleware], client_max_size=MAX_BODY)
    application.on_response_prepare.append(guard.add_headers)
    application.add_routes(
        [
            web.get("/", page),
            web.get("/events", Events(services, regions).handle),
            web.post("/act", Actions(services, templates).handle),
            web.static("/static", STATIC),
            *Files(services).routes(),
        ]
    )
    return application
