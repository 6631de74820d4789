"""Listening, and a plain sentence where that is not possible."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from ipaddress import ip_address

from aiohttp import web

from domains.errors import StartupError
from domains.tasks import detached

SHUTDOWN_TIMEOUT_S = 1.0
"""How long a request that is under way may take at a shutdown."""


@asynccontextmanager
async def listening(
    application: web.Application, host: str, port: int, setting: str
) -> AsyncGenerator[int]:
    """Serve meanwhile; gives the port. Raises StartupError that names `setting`."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S)

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, host, port).start()

    try:
        try:
            # Detached, because every connection inherits the context of who starts to listen.
            await detached(start())
        except OSError as error:
            why = error.strerror or error
            raise StartupError(f"{setting}: cannot listen on {host}:{port}: {why}") from None
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
