"""Discord's HTTP API on aiohttp: reads a request, lets faults have their way, runs the endpoint,
and writes the answer down for the tests.
"""

import asyncio
import functools
import json
import urllib.parse
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

from . import attachments, errors, faults, openapi
from .call import Answer, Call
from .faults import Fault, Faults, Moment
from .json_types import JsonObject
from .models import File
from .routes import ROUTES, Handler
from .state import TOKEN, World

API = "/api/v10"
UPLOAD_LIMIT = 64 * 1024 * 1024
REASON_LIMIT = 512

# Their routes are authorized by a token in the path.
OPEN_PATHS = ("/interactions/", "/webhooks/", "/gateway")


class Rest:
    def __init__(self, world: World) -> None:
        self.requests: list[Call] = []
        self.unexpected: list[str] = []
        self.violations: list[str] = []
        self.faults = Faults()
        self._world = world

    def application(
        self, gateway: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.Application:
        app = web.Application(client_max_size=UPLOAD_LIMIT)
        app.router.add_get("/", gateway)
        for (method, template), handler in ROUTES.items():
            app.router.add_route(method, API + template, functools.partial(self._serve, handler))
        app.router.add_route("*", API + "/{tail:.*}", functools.partial(self._serve, self._unknown))
        app.router.add_get("/attachments/{channel_id}/{attachment_id}/{filename}", self._download)
        return app

    async def _serve(self, handler: Handler, request: web.Request) -> web.StreamResponse:
        call = await _read(request)
        self.requests.append(call)
        self._world.changes.notify()
        try:
            answer = await self._answer(handler, call)
        except Exception as error:  # a body no endpoint was made for, or a broken callback
            answer = self._not_modelled(f"{call.method} {call.path}: {error!r}")
        if answer is not None:
            call.status, call.answer = answer.status, answer.body
        self._world.changes.notify()
        return _hang_up(request) if answer is None else _write(answer, request)

    async def _answer(self, handler: Handler, call: Call) -> Answer | None:
        """None: the connection is to be closed without one."""
        self.violations += openapi.validate_body(call.method, call.path, call.body)
        if await self.faults.run_hooks(Moment.BEFORE, call):
            return None
        if (fault := self.faults.claim(call)) is not None:
            await asyncio.sleep(fault.hang)  # cancelled when the stand-in is stopped
            answer = _wrong_answer(fault)
            if fault.after is not None and await faults.run(fault.after, call):
                return None
            if answer is not None or fault.lost:
                return answer
        answer = self._run(handler, call)
        self._world.changes.notify()
        if await self.faults.run_hooks(Moment.AFTER, call):
            return None
        return answer

    def _run(self, handler: Handler, call: Call) -> Answer:
        try:
            if not call.path.startswith(OPEN_PATHS) and call.authorization != f"Bot {TOKEN}":
                raise errors.unauthorized()
            if call.reason is not None and len(call.reason) > REASON_LIMIT:
                raise errors.invalid_form(
                    "reason", "BASE_TYPE_MAX_LENGTH", f"Must be {REASON_LIMIT} or fewer in length."
                )
            return handler(self._world, call)
        except errors.ApiError as error:
            return Answer(error.status, error.body)

    def _unknown(self, world: World, call: Call) -> Answer:
        return self._not_modelled(f"{call.method} {call.path}")

    def _not_modelled(self, what: str) -> Answer:
        self.unexpected.append(what)
        return Answer(501, {"message": f"the stand-in does not do this: {what}", "code": 0})

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """Faults may name its path, which begins with /attachments and not with the API's."""
        if (fault := self.faults.claim(await _read(request))) is not None:
            await asyncio.sleep(fault.hang)
            if fault.status is not None:
                return web.Response(status=fault.status)
        attachment = attachments.download(self._world, int(request.match_info["attachment_id"]))
        if attachment is None:
            return web.Response(status=404)
        return web.Response(
            body=attachment.content, headers={"Content-Type": attachment.content_type}
        )


def _wrong_answer(fault: Fault) -> Answer | None:
    if fault.status is None:
        return None
    message = fault.message or HTTPStatus(fault.status).phrase
    body: JsonObject = {"message": message, "code": fault.code}
    if fault.status == HTTPStatus.TOO_MANY_REQUESTS:
        body |= {"retry_after": fault.retry_after, "global": fault.is_global}
    return Answer(fault.status, body)


async def _read(request: web.Request) -> Call:
    body: object = None
    files: dict[int, File] = {}
    if request.content_type == "multipart/form-data":
        form = await request.post()
        for name, value in form.items():
            if name == "payload_json":
                body = json.loads(str(value))
            elif isinstance(value, web.FileField):
                index = int(name.removeprefix("files[").removesuffix("]"))
                with value.file:
                    files[index] = File(value.filename, value.file.read())
    elif raw := await request.read():
        body = json.loads(raw)
    reason = request.headers.get("X-Audit-Log-Reason")
    return Call(
        request.method,
        request.path.removeprefix(API),
        dict(request.match_info),
        dict(request.query),
        body,
        files,
        urllib.parse.unquote(reason) if reason is not None else None,
        request.headers.get("Authorization"),
    )


def _write(answer: Answer, request: web.Request) -> web.Response:
    if answer.status == HTTPStatus.NO_CONTENT:
        return web.Response(status=answer.status, headers=_rate_limit_headers(request))
    # discord.py compares the header with exactly this: no charset.
    headers = {"Content-Type": "application/json", **_rate_limit_headers(request)}
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        # Without Via, discord.py takes it for a ban by Cloudflare, and gives up.
        body: JsonObject = answer.body
        headers = {
            "Content-Type": "application/json",
            "Via": "1.1 google",
            "Retry-After": str(body["retry_after"]),
            "X-RateLimit-Scope": "global" if body["global"] else "user",
        }
    return web.Response(body=json.dumps(answer.body), status=answer.status, headers=headers)


def _rate_limit_headers(request: web.Request) -> dict[str, str]:
    """Never near the limit. Without them discord.py sends one request of a kind at a time."""
    resource = request.match_info.route.resource
    bucket = f"{request.method} {resource.canonical if resource else request.path}"
    return {
        "X-RateLimit-Limit": "50",
        "X-RateLimit-Remaining": "49",
        "X-RateLimit-Reset-After": "1.000",
        "X-RateLimit-Bucket": f"{hash(bucket) & 0xFFFFFFFF:08x}",
    }


def _hang_up(request: web.Request) -> web.Response:
    """aiohttp finds the connection gone when it wants to write this, and leaves it at that."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
