"""A socket that leads to a server, until it is cut."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit, urlunsplit

CHUNK = 64 * 1024
POSTGRES_SOCKET = ".s.PGSQL.5432"


class SocketProxy:
    """Passes all on from one Unix socket to another. Cut, it refuses like a server that is down."""

    def __init__(self, here: Path, there: str) -> None:
        self._here = here
        self._there = there
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        await self.restore()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.cut()

    async def restore(self) -> None:
        self._server = await asyncio.start_unix_server(self._connect, self._here)

    async def cut(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for end in self._ends:
            end.transport.abort()
        await server.wait_closed()
        self._here.unlink(missing_ok=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(self._there)
        self._ends |= {writer, far_writer}
        await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
        self._ends -= {writer, far_writer}

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(CHUNK):
                target.write(data)
                await target.drain()
        except OSError:
            pass
        target.close()


def postgres_proxy(directory: Path, url: str) -> tuple[SocketProxy, str]:
    """A proxy to the server of this URL, and the URL that goes through it."""
    parts = urlsplit(url)
    there = parse_qs(parts.query)["host"][0]
    through = urlunsplit(parts._replace(query=f"host={directory}"))
    return SocketProxy(directory / POSTGRES_SOCKET, f"{there}/{POSTGRES_SOCKET}"), through


def redis_proxy(directory: Path, url: str) -> tuple[SocketProxy, str]:
    parts = urlsplit(url)
    here = directory / "redis.sock"
    credentials = f"{parts.netloc.rpartition('@')[0]}@"
    return SocketProxy(here, parts.path), urlunsplit(
        parts._replace(netloc=credentials, path=str(here))
    )
