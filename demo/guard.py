"""The demo is for the person at this machine: not for a website that they visit meanwhile."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

HOSTS = {"127.0.0.1", "localhost"}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; "
        # Its own, and where the answer leads: the page that looks like Discord.
        "form-action 'self' http://127.0.0.1:*; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Another name that leads here is DNS rebinding: a foreign page's attempt to be this one."""
    if request.url.host not in HOSTS:
        raise web.HTTPForbidden(text="The demo answers only to 127.0.0.1.")
    response = await handler(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
