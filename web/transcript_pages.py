"""Transcripts, behind the login. They are other people's words and files: no script in them runs,
and what is not a picture is only ever downloaded."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

from aiohttp import hdrs, web

from domains.monitoring.monitor import Monitor
from domains.ticket_lifecycle import TicketLifecycle
from domains.transcripts import SavedTranscript
from domains.transcripts.images import image_type
from web.dependencies import Dependencies
from web.guard import CONTENT_SECURITY_POLICY
from web.page_maker import NotFoundError

POLICY = (
    "sandbox allow-same-origin allow-downloads; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""It is shown as of our origin, or its pictures would not be; without scripts it can do nothing
with that."""
CHUNK_BYTES = 256 * 1024


class TranscriptPages:
    def __init__(self, dependencies: Dependencies) -> None:
        self._monitor: Monitor = dependencies.monitor
        self._tickets: TicketLifecycle = dependencies.tickets

    async def page(self, request: web.Request) -> web.StreamResponse:
        transcript = await self._transcript(request)
        return await _send(request, transcript.path, "text/html; charset=utf-8")

    async def attachment(self, request: web.Request) -> web.StreamResponse:
        """Only what the transcript itself names: no name leads anywhere else."""
        transcript = await self._transcript(request)
        name = request.match_info["name"]
        found = next((each for each in transcript.attachments if each.path.name == name), None)
        if found is None or found.path.is_symlink() or not found.path.is_file():
            raise NotFoundError("such file")
        picture = await asyncio.to_thread(image_type, found.path)
        kind = "inline" if picture else "attachment"
        disposition = f"{kind}; filename*=UTF-8''{quote(found.filename, safe='')}"
        return await _send(request, found.path, picture or "application/octet-stream", disposition)

    async def _transcript(self, request: web.Request) -> SavedTranscript:
        async with self._monitor.query_timeout():
            ticket = await self._tickets.ticket(int(request.match_info["ticket_id"]))
        transcript = await self._tickets.transcript(ticket) if ticket is not None else None
        if transcript is None:
            raise NotFoundError("transcript of this ticket")
        return transcript


async def _send(
    request: web.Request, path: Path, content_type: str, disposition: str = "inline"
) -> web.StreamResponse:
    try:
        file = await asyncio.to_thread(path.open, "rb")
    except OSError:
        raise NotFoundError("such file") from None
    response = web.StreamResponse(
        headers={
            hdrs.CONTENT_TYPE: content_type,
            hdrs.CONTENT_DISPOSITION: disposition,
            CONTENT_SECURITY_POLICY: POLICY,
        }
    )
    with file:
        await response.prepare(request)
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            await response.write(chunk)
    await response.write_eof()
    return response
