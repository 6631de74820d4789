"""Connections as they are on the wire, from any of this machine's own addresses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

READ_TIMEOUT_S = 10.0


class RawConnection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """What the other side does not want is no error: it may have said so already."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except ConnectionError:
            pass

    async def read_all(self) -> bytes:
        """What comes until the other side has closed."""
        received = bytearray()
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                while data := await self._reader.read(65_536):
                    received += data
        except ConnectionError:
            pass
        return bytes(received)

    @property
    def dropped(self) -> bool:
        """By the other side. Only where it has sent nothing."""
        return self._reader.at_eof() or self._reader.exception() is not None

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def connection(port: int, *, of: str = "127.0.0.1") -> AsyncGenerator[RawConnection]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(of, 0))
    raw = RawConnection(reader, writer)
    try:
        yield raw
    finally:
        raw.close()


async def answer_to(port: int, data: bytes) -> bytes:
    async with connection(port) as raw:
        await raw.send(data)
        return await raw.read_all()
