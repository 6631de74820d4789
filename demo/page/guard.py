"""The demo is for the person who started it: not for others on this machine, nor for a website that
they visit meanwhile. The address that the terminal shows has a key, which becomes a cookie."""

from __future__ import annotations

import secrets

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from yarl import URL

HOSTS = {"127.0.0.1", "localhost"}
KEY = "key"
HARMLESS = ("GET", "HEAD")
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
STRANGER = "Open the address that the terminal shows: it has the key to this demo.\n"


class Guard:
    def __init__(self) -> None:
        self.key = secrets.token_urlsafe(16)
        self.port = 0

    @property
    def _cookie(self) -> str:
        """Cookies don't know ports, and another demo may run at another one."""
        return f"punctual_demo_{self.port}"

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Another name that leads here is DNS rebinding: a foreign page acts as this one."""
        if request.url.host not in HOSTS:
            raise web.HTTPForbidden(text="The demo answers only to 127.0.0.1.\n")
        if request.method not in HARMLESS and not _is_same_origin(request):
            raise web.HTTPForbidden(text="This was asked by another site.\n")
        if request.path == "/" and self._is_key(request.query.get(KEY, "")):
            return self._let_in(request)
        if not self._is_key(request.cookies.get(self._cookie, "")):
            raise web.HTTPForbidden(text=STRANGER)
        return await handler(request)

    async def add_headers(self, _request: web.Request, response: web.StreamResponse) -> None:
        """As aiohttp's `on_response_prepare`, which sees every answer."""
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)

    def _is_key(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self.key.encode())

    def _let_in(self, request: web.Request) -> web.StreamResponse:
        """The key goes out of the address, so that it isn't shared with it."""
        query = {name: value for name, value in request.query.items() if name != KEY}
        response = web.Response(
            status=303, headers={hdrs.LOCATION: str(URL("/").with_query(query))}
        )
        response.set_cookie(self._cookie, self.key, httponly=True, samesite="Lax", path="/")
        return response


def _is_same_origin(request: web.Request) -> bool:
    """Every browser says where such a request comes from; a script at the terminal need not."""
    origin = request.headers.get(hdrs.ORIGIN)
    return origin is None or origin == f"{request.scheme}://{request.host}"
