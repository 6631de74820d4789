"""The page that the demo's URL shows: who to look as, what channels there are, what to try."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from demo.demo_guild import DemoGuild
from demo.guard import guard
from demo.preview_controller import PreviewController
from demo.view import view_of
from domains.errors import WRONG_SETTING, StartupError
from domains.transcripts import TranscriptStore

HOST = "127.0.0.1"
DEFAULT_PORT = 8765
SHUTDOWN_TIMEOUT_S = 1.0

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"


def wanted_port() -> int:
    """What `DEMO_PORT` says. Raises StartupError if that can't be a port."""
    text = os.environ.get("DEMO_PORT") or str(DEFAULT_PORT)
    if not text.isdecimal() or int(text) > 65535:
        raise StartupError("DEMO_PORT: must be a number up to 65535", status=WRONG_SETTING)
    return int(text)


@asynccontextmanager
async def front_page(
    demo_guild: DemoGuild,
    preview_controller: PreviewController,
    transcripts: TranscriptStore,
    port: int,
) -> AsyncGenerator[str]:
    """Serve it at this port, or if that is taken, at any; give its URL."""
    page = FrontPage(demo_guild, preview_controller, transcripts)
    runner = web.AppRunner(page.application(), access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError:
            await web.TCPSite(runner, HOST, 0).start()
        yield f"http://{HOST}:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


class FrontPage:
    def __init__(
        self,
        demo_guild: DemoGuild,
        preview_controller: PreviewController,
        transcripts: TranscriptStore,
    ) -> None:
        self._demo_guild = demo_guild
        self._preview_controller = preview_controller
        self._transcripts = transcripts
        self._token = secrets.token_urlsafe(16)
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def application(self) -> web.Application:
        application = web.Application(middlewares=[guard])
        application.add_routes(
            [
                web.get("/", self.index),
                web.get("/now", self.now),
                web.post("/look", self.switch_view),
                web.get("/discord", self.discord),
                web.get(r"/transcripts/{ticket_id:\d{1,18}}/{name:.*}", self.transcript),
                web.static("/static", STATIC),
            ]
        )
        return application

    async def index(self, _request: web.Request) -> web.Response:
        return self._page("page.html.jinja")

    async def now(self, _request: web.Request) -> web.Response:
        """What changes: fetched again and again by the page."""
        return self._page("now.html.jinja")

    async def switch_view(self, request: web.Request) -> web.Response:
        """A press on a person or a channel. The answer takes the window there."""
        form = await request.post()
        token = str(form.get("token", ""))
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            raise web.HTTPForbidden(text="Reload the demo's page: this one is of an earlier run.")
        name, _, channel_id = str(form.get("look", "")).partition(":")
        viewers = {person.name: person for person in self._demo_guild.people}
        if name not in viewers or not channel_id.isdecimal():
            raise web.HTTPBadRequest(text="Nobody and nothing to look at.")
        self._preview_controller.timezone = _known_timezone(str(form.get("timezone", "")))
        await self._preview_controller.show(int(channel_id), viewers[name])
        raise web.HTTPSeeOther(await self._preview_controller.url())

    async def discord(self, _request: web.Request) -> web.Response:
        """Where the page that looks like Discord is now."""
        raise web.HTTPSeeOther(await self._preview_controller.url())

    async def transcript(self, request: web.Request) -> web.StreamResponse:
        ticket_id, name = int(request.match_info["ticket_id"]), request.match_info["name"]
        saved = await asyncio.to_thread(
            self._transcripts.find, self._demo_guild.guild.id, ticket_id
        )
        if saved is None:
            raise web.HTTPNotFound
        files = {
            each.path.relative_to(saved.path.parent).as_posix(): each.path
            for each in saved.attachments
        }
        path = (files | {"": saved.path}).get(name)
        if path is None:
            raise web.HTTPNotFound
        # What members attached is shown in a sandbox: it can't act as this page.
        return web.FileResponse(path, headers={"Content-Security-Policy": "sandbox allow-popups"})

    def _page(self, template: str) -> web.Response:
        view = view_of(self._demo_guild, self._preview_controller)
        text = self._templates.get_template(template).render(
            demo_guild=self._demo_guild, view=view, token=self._token
        )
        return web.Response(text=text, content_type="text/html")


def _known_timezone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"
