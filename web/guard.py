"""Nothing is shown without the password, and no foreign page can act with an operator's login.

The order matters: who is not known gets 401 on every path, whether there is such a page or not.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from base64 import b64decode
from collections.abc import Collection
from enum import Enum, auto
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from domains.rate_limited_log import RateLimitedLog
from web.connections import SERVER, Connection
from web.guessers import Guessers

log = logging.getLogger(__name__)

CONTENT_SECURITY_POLICY = "Content-Security-Policy"
HEADERS = {
    "Cache-Control": "no-store",
    CONTENT_SECURITY_POLICY: (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not `no-referrer`: browsers would then send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Server": SERVER,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
CHALLENGE = 'Basic realm="Punctual", charset="UTF-8"'
HARMLESS = ("GET", "HEAD")
REFUSALS = (web.HTTPUnauthorized.status_code, web.HTTPTooManyRequests.status_code)
SEC_FETCH_SITE = "Sec-Fetch-Site"


class Login(Enum):
    NONE = auto()
    TOO_SOON = auto()
    """After too many wrong ones: it was not looked at."""
    WRONG = auto()
    RIGHT = auto()


LOGIN = web.RequestKey("login", Login)
"""Where a request keeps what was found of its password."""


class Guard:
    def __init__(self, user: str, password: str, hosts: Collection[str] | None) -> None:
        """`hosts` are the names that lead here; None is any."""
        self._credentials = _digest(f"{user}:{password}".encode())
        self._guessers = Guessers(self._credentials)
        self._hosts = hosts
        self._secret = secrets.token_bytes(32)
        self._wrong_password = RateLimitedLog(log, "The dashboard refused a wrong password from %s")

    async def add_security_headers(
        self, request: web.Request, response: web.StreamResponse
    ) -> None:
        """The last look at every answer, as aiohttp's `on_response_prepare`. What no route can
        match, such as `CONNECT host:80`, aiohttp may answer itself, before any middleware."""
        own_policy = response.headers.get(CONTENT_SECURITY_POLICY)
        response.headers.update(HEADERS)
        if own_policy is not None:  # a transcript has a stricter one
            response.headers[CONTENT_SECURITY_POLICY] = own_policy
        if self._login(request) is Login.RIGHT:
            self._guessers.remember(request, response)
            return
        if isinstance(request.protocol, Connection):
            request.protocol.refuse(response)
        if response.status not in REFUSALS:
            refusal = self._refusal(request)
            refusal.force_close()
            await refusal.prepare(request)
            await refusal.write_eof()
            # The other answer has no reader any more, and aiohttp logs no traceback of it.
            raise ConnectionAbortedError

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self._login(request) is not Login.RIGHT:
            return self._refusal(request)
        if isinstance(request.protocol, Connection):
            request.protocol.introduce()
        if not self._came_by_a_good_name(request):
            raise web.HTTPForbidden(
                text=f"The dashboard answers only to {_list(self._hosts or ())}.\n"
            )
        if request.method not in HARMLESS and not _is_same_origin(request):
            raise web.HTTPForbidden(text="This was asked by another site.\n")
        return await handler(request)

    def _login(self, request: web.BaseRequest) -> Login:
        """Looked at once for each request, as a wrong one makes the next wait."""
        if LOGIN not in request:
            request[LOGIN] = self._look_at_login(request)
        return request[LOGIN]

    def _look_at_login(self, request: web.BaseRequest) -> Login:
        given = request.headers.get(hdrs.AUTHORIZATION)
        if given is None:
            return Login.NONE
        if self._guessers.wait_s(request):
            return Login.TOO_SOON
        if hmac.compare_digest(_digest(_credentials_in(given)), self._credentials):
            return Login.RIGHT
        self._guessers.failed(request)
        self._wrong_password.warning(request.remote)
        return Login.WRONG

    def _refusal(self, request: web.BaseRequest) -> web.Response:
        if self._login(request) is Login.TOO_SOON:
            wait_s = max(1, self._guessers.wait_s(request))
            return web.Response(
                status=web.HTTPTooManyRequests.status_code,
                text=f"429: too many wrong passwords; the next is looked at in {wait_s} s\n",
                headers={hdrs.RETRY_AFTER: str(wait_s)},
            )
        return web.Response(
            status=web.HTTPUnauthorized.status_code,
            text="401: a user and a password are needed\n",
            headers={hdrs.WWW_AUTHENTICATE: CHALLENGE},
        )

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


def _credentials_in(authorization: str) -> bytes:
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
