"""Listening, and a plain sentence where that is not possible."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress

from aiohttp import web

from domains.rate_limited_log import RateLimitedLog
from domains.tasks import cancel, detached
from web.connections import Connection, Connections
from web.own_address import cannot_listen

log = logging.getLogger(__name__)

SHUTDOWN_TIMEOUT_S = 1.0
"""How long a request that is under way may take at a shutdown."""
BACKLOG = 128
MAX_BURST = 64
MAX_CONNECTIONS_PER_S = 100.0
"""Beyond a burst. Those who come faster wait for their turn, and not the tickets for theirs."""
RETRY_ACCEPT_S = 1.0
OUT_OF_RESOURCES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


@asynccontextmanager
async def listening(
    application: web.Application, host: str, port: int, settings: str
) -> AsyncGenerator[int]:
    """Serve meanwhile; gives the port. Raises StartupError that names the one of the `settings`
    `..._HOST` and `..._PORT` that is the reason."""
    runner = web.AppRunner(application, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
    with ExitStack() as listeners:
        try:
            sockets = [listeners.enter_context(each) for each in await _bind(host, port)]
        except OSError as error:
            raise cannot_listen(settings, host, port, error) from None
        try:
            await runner.setup()
            assert runner.server is not None
            acceptor = _Acceptor(runner.server, f"{settings}_PORT")
            async with acceptor.accepting(sockets):
                yield int(sockets[0].getsockname()[1])
        finally:
            await runner.cleanup()


async def _bind(host: str, port: int) -> list[socket.socket]:
    """One for each address that the host has."""
    found = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    with ExitStack() as half_done:
        sockets: list[socket.socket] = []
        for family, address in dict.fromkeys((each[0], each[4]) for each in found):
            listener = socket.create_server(address, family=family, backlog=BACKLOG)
            sockets.append(half_done.enter_context(listener))
            listener.setblocking(False)
        half_done.pop_all()
    return sockets


class _Acceptor:
    """In asyncio's stead, whose own accepting logs a hundred tracebacks, and tries again a hundred
    times a second, for each connection that it has no file descriptor for."""

    def __init__(self, server: web.Server, setting: str) -> None:
        self._server = server
        self._connections = Connections(setting)
        self._not_taken = RateLimitedLog(
            log, f"{setting}: no connection can be taken at the moment: %s"
        )
        self._free_at = 0.0
        self._ending = False

    @asynccontextmanager
    async def accepting(self, listeners: Sequence[socket.socket]) -> AsyncGenerator[None]:
        # Detached, because every connection inherits the context of who accepts it.
        tasks = [detached(self._accept(each)) for each in listeners]
        try:
            yield
        finally:
            self._ending = True
            # A cancelled `sock_accept` loses the connection that came at that very moment.
            for each in listeners:
                with suppress(NotImplementedError):  # Windows: there it does not
                    asyncio.get_running_loop().remove_reader(each)
            await asyncio.sleep(0)
            await cancel(*tasks)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while not self._ending:
            try:
                accepted, _ = await loop.sock_accept(listener)
            except ConnectionAbortedError:
                continue
            except OSError as error:
                if error.errno in OUT_OF_RESOURCES:
                    self._connections.drop_strangers()
                self._not_taken.warning(error.strerror or error)
                await asyncio.sleep(RETRY_ACCEPT_S)
                continue
            try:
                await loop.connect_accepted_socket(self._connection, accepted)
            except Exception as error:  # one connection must not end the listening
                accepted.close()
                self._not_taken.warning(error)
            await self._take_a_breath(loop.time())

    def _connection(self) -> Connection:
        return Connection(self._server, self._connections)

    async def _take_a_breath(self, now: float) -> None:
        step = 1 / MAX_CONNECTIONS_PER_S
        self._free_at = max(self._free_at, now - MAX_BURST * step) + step
        await asyncio.sleep(max(0.0, self._free_at - now))
