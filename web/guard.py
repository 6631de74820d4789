"""Nothing is shown without the password, and no foreign page can act with an operator's login.

The order matters: who is not known gets 401 on every path, whether there is such a page or not.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import time
from base64 import b64decode
from collections.abc import Collection
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

log = logging.getLogger(__name__)

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not `no-referrer`: browsers would then send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Server": "punctual",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
CHALLENGE = 'Basic realm="Punctual", charset="UTF-8"'
HARMLESS = ("GET", "HEAD")
SEC_FETCH_SITE = "Sec-Fetch-Site"
WARN_EVERY_S = 10.0


class Guard:
    def __init__(self, user: str, password: str, hosts: Collection[str] | None) -> None:
        """`hosts` are the names that lead here; None is any."""
        self._credentials = _digest(f"{user}:{password}".encode())
        self._hosts = hosts
        self._secret = secrets.token_bytes(32)
        self._warn_again_at = 0.0

    async def add_security_headers(
        self, request: web.Request, response: web.StreamResponse
    ) -> None:
        """The last look at every answer, as aiohttp's `on_response_prepare`. What no route can
        match, such as `CONNECT host:80`, aiohttp may answer itself, before any middleware."""
        response.headers.update(HEADERS)
        if response.status != web.HTTPUnauthorized.status_code and not self._is_known(request):
            refusal = _refusal()
            refusal.force_close()
            await refusal.prepare(request)
            await refusal.write_eof()
            # The other answer has no reader any more, and aiohttp logs no traceback of it.
            raise ConnectionAbortedError

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self._is_known(request):
            return _refusal()
        if not self._came_by_a_good_name(request):
            raise web.HTTPForbidden(
                text=f"The dashboard answers only to {_list(self._hosts or ())}.\n"
            )
        if request.method not in HARMLESS and not _is_same_origin(request):
            raise web.HTTPForbidden(text="This was asked by another site.\n")
        return await handler(request)

    def _is_known(self, request: web.Request) -> bool:
        given = request.headers.get(hdrs.AUTHORIZATION)
        if given is None:
            return False
        known = hmac.compare_digest(_digest(_login(given)), self._credentials)
        if not known and time.monotonic() >= self._warn_again_at:
            self._warn_again_at = time.monotonic() + WARN_EVERY_S
            log.warning("The dashboard refused a wrong password from %s", request.remote)
        return known

    def _came_by_a_good_name(self, request: web.Request) -> bool:
        """Another name that leads here is DNS rebinding, or that of a proxy. To a proxy browsers
        speak TLS, and there they send Sec-Fetch-Site, which no script can set; to a strange name
        without TLS they do not."""
        return (
            self._hosts is None
            or SEC_FETCH_SITE in request.headers
            or _host_of(request) in self._hosts
        )

    # --- forms

    def token(self, action: str) -> str:
        """What the form for this action must carry; of no use to any other, nor to another run."""
        return hmac.new(self._secret, action.encode(), hashlib.sha256).hexdigest()

    def check_token(self, action: str, token: str) -> None:
        if not hmac.compare_digest(self.token(action).encode(), token.encode()):
            raise web.HTTPForbidden(text="Load the page again: this one is of an earlier run.\n")


def _refusal() -> web.Response:
    return web.Response(
        status=web.HTTPUnauthorized.status_code,
        text="401: a user and a password are needed\n",
        headers={hdrs.WWW_AUTHENTICATE: CHALLENGE},
    )


def _login(authorization: str) -> bytes:
    """`user:password`, or nothing."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        return b64decode(encoded, validate=True) if scheme.lower() == "basic" else b""
    except ValueError:
        return b""


def _digest(login: bytes) -> bytes:
    """Of one length whatever the login, so that a comparison tells nothing of it."""
    return hashlib.sha256(login).digest()


def _is_same_origin(request: web.Request) -> bool:
    """By what browsers say themselves. Where one does not say it outright, the origin is compared
    with the Host; not the scheme, as TLS may end before us, and a proxy may change the Host."""
    site = request.headers.get(SEC_FETCH_SITE)
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get(hdrs.ORIGIN)
    return origin is None or urlsplit(origin).netloc == request.headers.get(hdrs.HOST)


def _host_of(request: web.Request) -> str | None:
    try:
        return urlsplit(f"//{request.host}").hostname
    except ValueError:
        return None


def _list(hosts: Collection[str]) -> str:
    return " or ".join(sorted(hosts))
