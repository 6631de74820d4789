"""What the page shows besides itself: files of the virtual Discord, transcripts, and the card."""

from __future__ import annotations

import asyncio
import mimetypes
import textwrap
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from demo.page.rendering import TEMPLATES
from demo.page.ticket_view import card_lines, result_of
from demo.services import DemoServices
from demo.words import Words
from domains.transcripts import SavedTranscript

SANDBOX = {"Content-Security-Policy": "sandbox allow-popups"}
"""What people have attached can't act as this page."""
LINE = 68


class Files:
    def __init__(self, services: DemoServices) -> None:
        self._services = services
        self._svg = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
        )

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/files/{path:.*}", self.file),
            web.get(r"/transcripts/{ticket_id:\d{1,18}}/{name:.*}", self.transcript),
            web.get(r"/cards/{ticket_id:\d{1,18}}.svg", self.card),
        ]

    async def file(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        content = self._services.discord.backend.files.at(path)
        if content is None:
            raise web.HTTPNotFound
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        return web.Response(body=content, headers={"Content-Type": kind, **SANDBOX})

    async def transcript(self, request: web.Request) -> web.StreamResponse:
        guild_id, ticket_id = self._services.guild.id, int(request.match_info["ticket_id"])
        saved = await asyncio.to_thread(self._services.transcripts.find, guild_id, ticket_id)
        path = _files_of(saved).get(request.match_info["name"]) if saved is not None else None
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path, headers=SANDBOX)

    async def card(self, request: web.Request) -> web.StreamResponse:
        words = Words(request.query.get("lang", ""))
        truth = self._services.observer.truth.tickets.get(int(request.match_info["ticket_id"]))
        result = result_of(truth, self._services.chaos.struck) if truth is not None else None
        if truth is None or result is None:
            raise web.HTTPNotFound
        lines = card_lines(truth.ticket.name, result, words)
        wrapped = [*textwrap.wrap(lines[2], LINE), "", ""]
        svg = self._svg.get_template("card.svg.jinja").render(
            lines=lines,
            wrapped=wrapped,
            when=words("card.deadline", when=f"{result.deadline:%Y-%m-%d %H:%M:%S} UTC"),
            made_with=words("card.made_with"),
        )
        return web.Response(text=svg, content_type="image/svg+xml")


def _files_of(saved: SavedTranscript) -> dict[str, Path]:
    """By what the page calls them; itself is the empty name."""
    files = {
        each.path.relative_to(saved.path.parent).as_posix(): each.path for each in saved.attachments
    }
    return files | {"": saved.path}
