"""A file server that misbehaves as the first segment of the path says, and counts what it sent."""

from __future__ import annotations

import asyncio
import gzip
import struct
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from socket import SO_LINGER, SOL_SOCKET

from tests.wire import Attachment, Channel, Discord, File, Message

CHUNK = bytes(64 * 1024)
BOMB = gzip.compress(bytes(64 * 1024 * 1024))
GOOD = b"the whole file"


@dataclass
class Cdn:
    """`/good`, `/drip` (a byte a second), `/endless`, `/short`, `/reset`, `/silent`, `/bomb`, any
    status, such as `/451`, and `/held`: cut off once it is released, and good when that is back."""

    origin: str = ""
    asked: Counter[str] = field(default_factory=Counter[str])
    """How often each kind was asked for."""
    sent: Counter[str] = field(default_factory=Counter[str])
    """How many bytes of each kind have gone out."""
    released: asyncio.Event = field(default_factory=asyncio.Event)
    is_back: bool = False
    numbers: count[int] = field(default_factory=count)

    def url(self, kind: str) -> str:
        return f"{self.origin}/{kind}/{next(self.numbers)}.txt"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            kind = request.split()[1].split("/")[1]
            self.asked[kind] += 1
            await self._misbehave(kind, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()
        else:
            writer.close()

    async def _misbehave(self, kind: str, writer: asyncio.StreamWriter) -> None:
        match kind:
            case "good":
                await self._send(kind, writer, head(200, len(GOOD)), GOOD)
            case "drip":
                await self._send(kind, writer, head(200, 5_000_000))
                while True:
                    await self._send(kind, writer, b"x")
                    await asyncio.sleep(1)
            case "endless":
                await self._send(kind, writer, head(200, None))
                while True:
                    await self._send(kind, writer, b"%x\r\n" % len(CHUNK), CHUNK, b"\r\n")
            case "short":
                await self._send(kind, writer, head(200, 1000), b"half of")
            case "bomb":
                zipped = head(200, len(BOMB), "Content-Encoding: gzip")
                await self._send(kind, writer, zipped, BOMB)
            case "reset":
                connection = writer.get_extra_info("socket")
                connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            case "silent":
                await asyncio.Event().wait()
            case "held" if not self.is_back:
                await self.released.wait()
                raise ConnectionResetError
            case "held":
                await self._send(kind, writer, head(200, len(GOOD)), GOOD)
            case _:
                await self._send(kind, writer, head(int(kind), 2), b"no")

    async def _send(self, kind: str, writer: asyncio.StreamWriter, *pieces: bytes) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            self.sent[kind] += len(piece)


def head(status: int, length: int | None, *more: str) -> bytes:
    """Without a length: chunked, which may go on for ever."""
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return "\r\n".join([f"HTTP/1.1 {status} So", size, "Connection: close", *more, "", ""]).encode()


@asynccontextmanager
async def a_cdn() -> AsyncGenerator[Cdn]:
    cdn = Cdn()
    answering: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(cdn.answer(reader, writer))
        answering.add(task)
        task.add_done_callback(answering.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    cdn.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield cdn
    finally:
        server.close()
        for task in answering:
            task.cancel()
        await asyncio.gather(*answering, return_exceptions=True)


async def attach(discord: Discord, ticket: Channel, cdn: Cdn, *kinds: str) -> Message:
    """The member sends a message with files that lie with `cdn`."""
    files = [File(f"{kind}.txt", GOOD) for kind in kinds]
    message = await discord.say(discord.customer, ticket, "Look", files)
    message.attachments = [
        relocated(attachment, cdn.url(kind))
        for attachment, kind in zip(message.attachments, kinds, strict=True)
    ]
    return message


def relocated(attachment: Attachment, url: str) -> Attachment:
    return replace(attachment, url=url)
