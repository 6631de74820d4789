"""Discord's HTTP API: a request becomes a call of simcord's router, and its answer JSON."""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from typing import Any, cast
from urllib.parse import unquote

from aiohttp import web
from simcord.backend import serializers
from simcord.backend.errors import BackendError, SetupError
from simcord.http import RouteNotImplemented, UnsupportedField, dispatch

from demo.virtual_discord.backend import FILES, VirtualBackend, forget_history
from demo.virtual_discord.changes import ChangeSignal

log = logging.getLogger(__name__)

API = "/api/v10"
UPLOAD_LIMIT = 64 * 1024 * 1024
NONCE_AGE_S = 300
NOT_OURS = (RouteNotImplemented, UnsupportedField)
WRONG_BODY = (SetupError, KeyError, TypeError, ValueError)
OPEN_PATHS = ("/interactions/", "/webhooks/")
"""Their routes are authorized by a token in the path."""
RATE_LIMIT_HEADERS = {
    # Never near the limit. Without them discord.py sends one request of a kind at a time.
    "X-RateLimit-Limit": "50",
    "X-RateLimit-Remaining": "49",
    "X-RateLimit-Reset-After": "1.000",
}


@dataclass(frozen=True, slots=True)
class Upload:
    """As simcord's routes read it."""

    filename: str
    fp: BytesIO
    description: str | None


class Rest:
    def __init__(self, backend: VirtualBackend, token: str, changes: ChangeSignal) -> None:
        self.is_cut = False
        self.url = ""
        self._backend = backend
        self._token = token
        self._changes = changes
        self._nonces: dict[tuple[str, str], tuple[float, int]] = {}

    def application(
        self, gateway: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.Application:
        application = web.Application(client_max_size=UPLOAD_LIMIT)
        application.router.add_get("/gateway", gateway)
        application.router.add_get(FILES + "/{path:.*}", self._download)
        application.router.add_route("*", API + "/{path:.*}", self._serve)
        return application

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if self.is_cut or "Origin" in request.headers:  # a browser: that is no bot
            return _hang_up(request)
        status, answer = self._answer(request, *await _read(request))
        forget_history(self._backend)
        self._changes.notify()
        if self.is_cut:
            return _hang_up(request)
        if answer is None:
            return web.Response(status=HTTPStatus.NO_CONTENT, headers=RATE_LIMIT_HEADERS)
        # discord.py compares the type with exactly this: no charset.
        headers = {"Content-Type": "application/json", **RATE_LIMIT_HEADERS}
        return web.Response(body=json.dumps(answer), status=status, headers=headers)

    def _answer(self, request: web.Request, body: Any, files: list[Upload]) -> tuple[int, Any]:
        path = "/" + request.match_info["path"]
        if not path.startswith(OPEN_PATHS) and not self._is_ours(request):
            return HTTPStatus.UNAUTHORIZED, {"message": "401: Unauthorized", "code": 0}
        repeated = self._posted_before(path, body)
        if repeated is not None:
            return HTTPStatus.OK, repeated
        reason = request.headers.get("X-Audit-Log-Reason")
        try:
            answer = dispatch(
                self._backend,
                request.method,
                path,
                json=body,
                params=dict(request.query),
                files=cast("list[Any]", files),
                reason=None if reason is None else unquote(reason),
            )
        except NOT_OURS as error:
            log.error("The virtual Discord cannot do that: %s", error)
            return error.status, error.to_json()
        except BackendError as error:
            return error.status, error.to_json()
        except WRONG_BODY as error:
            log.error("%s %s is not understood: %r", request.method, path, error)
            return HTTPStatus.BAD_REQUEST, {"message": str(error), "code": 50035}
        self._note_nonce(path, body, answer)
        return HTTPStatus.OK, answer

    def _is_ours(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "")
        return secrets.compare_digest(given.encode(), f"Bot {self._token}".encode())

    # --- a message that is sent again with its nonce is the one that is there

    def _posted_before(self, path: str, body: Any) -> Mapping[str, Any] | None:
        key = _nonce_key(path, body)
        if key is None:
            return None
        posted_at, message_id = self._nonces.get(key, (0.0, 0))
        channel_id = int(path.split("/")[2])
        message = self._backend.messages.get(channel_id, {}).get(message_id)
        if message is None or time.monotonic() - posted_at > NONCE_AGE_S:
            return None
        return dict(serializers.message_payload(self._backend, message))

    def _note_nonce(self, path: str, body: Any, answer: Any) -> None:
        key = _nonce_key(path, body)
        if key is not None:
            self._nonces[key] = (time.monotonic(), int(answer["id"]))

    # --- files

    async def _download(self, request: web.Request) -> web.StreamResponse:
        if self.is_cut:
            return _hang_up(request)
        content = self._backend.files.at(request.match_info["path"])
        if content is None:
            raise web.HTTPNotFound
        return web.Response(body=content, content_type="application/octet-stream")


def _nonce_key(path: str, body: Any) -> tuple[str, str] | None:
    if not path.endswith("/messages") or not isinstance(body, dict):
        return None
    said = cast("dict[str, Any]", body)
    return (path, str(said["nonce"])) if said.get("enforce_nonce") else None


async def _read(request: web.Request) -> tuple[Any, list[Upload]]:
    if request.content_type != "multipart/form-data":
        text = await request.text()
        return json.loads(text) if text else None, []
    form = await request.post()
    body: dict[str, Any] = json.loads(str(form.get("payload_json", "{}")))
    described = {str(each["id"]): each.get("description") for each in body.get("attachments") or ()}
    files: dict[int, Upload] = {}
    for name, value in form.items():
        if isinstance(value, web.FileField):
            index = int(name.removeprefix("files[").removesuffix("]"))
            with value.file:
                content = BytesIO(value.file.read())
            files[index] = Upload(value.filename, content, described.get(str(index)))
    return body, [files[index] for index in sorted(files)]


def _hang_up(request: web.Request) -> web.Response:
    """aiohttp finds the connection gone when it wants to write this, and leaves it at that."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
