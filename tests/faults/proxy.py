"""A proxy between a bot and PostgreSQL that cuts the wire at a statement of the test's choice.

Cut before it, the statement never arrives. Cut after it, the statement took effect, a COMMIT
among them, and the bot cannot know.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.wire import Moment

SOCKET = ".s.PGSQL.5432"
HEADER = 5
"""A message's type and its length, which counts itself but not the type."""
READY_FOR_QUERY = b"Z\0\0\0\x05"
"""And a byte for the transaction's state: the end of every answer."""


class Cut:
    """Armed until it was made: at the n-th statement that matches."""

    def __init__(self, pattern: str, moment: Moment, nth: int) -> None:
        self._pattern = re.compile(pattern, re.IGNORECASE)
        self._left = nth
        self.moment = moment
        self.made: str | None = None
        """The statement at which it was made."""

    def meet(self, statement: str) -> bool:
        if self.made is not None or self._pattern.search(statement) is None:
            return False
        self._left -= 1
        if self._left == 0:
            self.made = " ".join(statement.split())
        return self.made is not None


class PostgresProxy:
    """Listens on a Unix socket of its own; `url` is the one to give to the bot."""

    def __init__(self, url: str, upstream: str) -> None:
        self._upstream = upstream
        self._folder = tempfile.TemporaryDirectory(prefix="proxy-", dir="/tmp")
        self.url = f"{url.rpartition('host=')[0]}host={self._folder.name}"
        self._server: asyncio.Server | None = None
        self._wires: set[_Wire] = set()
        self._cut: Cut | None = None
        self.statements: list[str] = []
        """All that were executed, in their order."""

    async def __aenter__(self) -> Self:
        path = Path(self._folder.name, SOCKET)
        self._server = await asyncio.start_unix_server(self._serve, path)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut_all()
        self._folder.cleanup()

    def cut_at(self, pattern: str, moment: Moment, *, nth: int = 1) -> Cut:
        self._cut = Cut(pattern, moment, nth)
        return self._cut

    def disarm(self) -> None:
        self._cut = None

    def cut_all(self) -> None:
        for wire in list(self._wires):
            wire.sever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_unix_connection(self._upstream)
        except OSError:
            writer.close()
            return
        wire = _Wire(reader, writer, up_reader, up_writer, self._asked)
        self._wires.add(wire)
        try:
            await wire.carry()
        finally:
            self._wires.discard(wire)

    def _asked(self, statement: str) -> Moment | None:
        self.statements.append(statement)
        if self._cut is not None and self._cut.meet(statement):
            return self._cut.moment
        return None


class _Wire:
    """One connection, read message by message on the bot's side."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        up_reader: asyncio.StreamReader,
        up_writer: asyncio.StreamWriter,
        asked: Callable[[str], Moment | None],
    ) -> None:
        self._reader, self._writer = reader, writer
        self._up_reader, self._up_writer = up_reader, up_writer
        self._asked = asked
        self._statements: dict[bytes, str] = {}
        self._bound = ""
        self._swallowing = False

    def sever(self) -> None:
        for writer in (self._writer, self._up_writer):
            writer.transport.abort()

    async def carry(self) -> None:
        down = asyncio.create_task(self._carry_answers())
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._carry_questions()
        finally:
            self._up_writer.close()
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await down
            self._writer.close()

    async def _carry_questions(self) -> None:
        length = await self._reader.readexactly(4)
        self._up_writer.write(length + await self._reader.readexactly(_size(length) - 4))
        while True:
            header = await self._reader.readexactly(HEADER)
            body = await self._reader.readexactly(_size(header[1:]) - 4)
            moment = self._asked(statement) if (statement := self._read(header[:1], body)) else None
            if moment is Moment.BEFORE:
                self.sever()
                return
            if moment is Moment.AFTER:
                self._swallowing = True
            self._up_writer.write(header + body)
            await self._up_writer.drain()

    def _read(self, kind: bytes, body: bytes) -> str:
        """The statement that this message has executed, or nothing."""
        if kind == b"Q":
            return body.rstrip(b"\0").decode()
        if kind == b"P":
            name, statement, _ = body.split(b"\0", 2)
            self._statements[name] = statement.decode()
            self._bound = ""
        if kind == b"B":
            self._bound = self._statements.get(body.split(b"\0", 2)[1], "")
        if kind == b"S":
            bound, self._bound = self._bound, ""
            return bound
        return ""

    async def _carry_answers(self) -> None:
        """Byte by byte as they come; once swallowed, until PostgreSQL is ready again."""
        swallowed = b""
        while data := await self._up_reader.read(65536):
            if not self._swallowing:
                self._writer.write(data)
                await self._writer.drain()
                continue
            swallowed += data
            if swallowed[-6:-1] == READY_FOR_QUERY:
                self.sever()
                return
        self._writer.close()


def _size(length: bytes) -> int:
    return int.from_bytes(length, "big")
