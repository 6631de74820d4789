"""How many connections strangers may hold, how long, and what they may have us do.

aiohttp drops a connection that is idle or has sent half a request after `keepalive_timeout`. What
it leaves open: how many there are, a reader who never reads, a body that never ends.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from http import HTTPStatus
from typing import cast

from aiohttp import hdrs, web

from domains.addresses import subscriber
from domains.rate_limited_log import RateLimitedLog

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 64
IDLE_TIMEOUT_S = 10.0
"""From the connection, or the last answer, to the end of the next request's headers."""
STRANGERS_TIMEOUT_S = 30.0
"""How long a connection may live on which nobody has shown the password."""
LINGERING_S = 2.0
"""How long a body is read, and thrown away, that nobody asked for."""
MAX_HEADERS = 64
MAX_REFUSALS = 4
"""How many requests are refused on one connection before it is closed."""
SERVER = "punctual"


def close_after(response: web.StreamResponse) -> None:
    """Also when aiohttp has already decided to keep the connection."""
    response.force_close()
    response.headers[hdrs.CONNECTION] = "close"


class Connection(web.RequestHandler):
    """One connection, from accept() to its end."""

    __slots__ = ("_closing_timer", "_connections", "_refusals", "_socket", "known", "peer")

    def __init__(self, server: web.Server, connections: Connections) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # pyright: ignore[reportArgumentType]  # it takes None for no log
            auto_decompress=False,
            keepalive_timeout=IDLE_TIMEOUT_S,
            lingering_time=LINGERING_S,
            max_headers=MAX_HEADERS,
        )
        self._connections = connections
        self._closing_timer: asyncio.TimerHandle | None = None
        self._socket: asyncio.Transport | None = None
        self._refusals = 0
        self.known = False
        """Somebody with the password has used it."""
        self.peer = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._socket = cast(asyncio.Transport, transport)
        address = transport.get_extra_info("peername")
        self.peer = subscriber(address[0]) or "" if address else ""
        self._closing_timer = self._loop.call_later(STRANGERS_TIMEOUT_S, self.drop)
        self._connections.add(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._connections.remove(self)
        if self._closing_timer is not None:
            self._closing_timer.cancel()

    def drop(self) -> None:
        """At once, whatever has not been sent. (aiohttp's own closing waits until it is read.)"""
        self._connections.remove(self)
        if self._socket is not None:
            self._socket.abort()

    def introduce(self) -> None:
        """Somebody has shown the password here."""
        self.known = True
        if self._closing_timer is not None:
            self._closing_timer.cancel()

    def refuse(self, response: web.StreamResponse) -> None:
        """Somebody has not."""
        self._refusals += 1
        if self._refusals >= MAX_REFUSALS:
            close_after(response)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What is no request is nobody's error but its sender's: no traceback."""
        if status != HTTPStatus.BAD_REQUEST:
            return super().handle_error(request, status, exc, message)
        self._connections.malformed.warning(self.peer)
        response = web.Response(
            status=status, text="This is no HTTP request.\n", headers={hdrs.SERVER: SERVER}
        )
        response.force_close()
        return response

    def log_exception(
        self, *_args: object, exc_info: BaseException | None = None, **_more: object
    ) -> None:
        """Of an answer that failed, and of a body that cannot be read, which a stranger can have
        as often as he likes."""
        self._connections.failed.warning(self.peer, exc_info=exc_info)


class Connections:
    """All of one listener. With too many of them a stranger's makes room for the next: the oldest
    of the address that has the most."""

    def __init__(self, setting: str) -> None:
        """`setting` is the listener's, for the log."""
        self._open: dict[Connection, None] = {}
        self.malformed = RateLimitedLog(log, f"{setting}: what %s sends is no HTTP request")
        self.failed = RateLimitedLog(log, f"{setting}: a request of %s could not be answered")

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: Connection) -> None:
        if len(self._open) >= MAX_CONNECTIONS:
            self._one_to_drop().drop()
        self._open[connection] = None

    def remove(self, connection: Connection) -> None:
        self._open.pop(connection, None)

    def drop_strangers(self) -> None:
        """For when the process has run out of descriptors."""
        for connection in [each for each in self._open if not each.known]:
            connection.drop()

    def _one_to_drop(self) -> Connection:
        candidates = [each for each in self._open if not each.known] or list(self._open)
        peers = Counter(each.peer for each in candidates)
        return max(candidates, key=lambda each: peers[each.peer])  # of equals, the oldest
