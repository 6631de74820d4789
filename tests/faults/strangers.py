"""Somebody without a password, who only opens connections and never gives up."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from domains.tasks import cancel

IDLE = b""
HALF_A_REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
HALF_A_BODY = b"POST /job HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nkey="
METRICS = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
READY = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"
GUESSES = 100 * (b"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic YWRtaW46eA==\r\n\r\n")
NO_REQUEST = b"\x16\x03\x01 this is no HTTP\r\n\r\n"
REOPEN_S = 2.0


class Strangers:
    """Each holds one connection; dropped, he opens another."""

    def __init__(
        self, ports: Sequence[int], sends: Sequence[bytes], count: int, reopen_s: float
    ) -> None:
        self._reopen_s = reopen_s
        choices = itertools.cycle(itertools.product(ports, sends))
        self._choices = list(itertools.islice(choices, count))
        self.opened = 0
        """Connections so far."""
        self.dropped = 0

    async def hold(self) -> None:
        await asyncio.gather(*(self._hold(*choice) for choice in self._choices))

    async def _hold(self, port: int, sends: bytes) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(self._reopen_s)
                continue
            self.opened += 1
            try:
                writer.write(sends)
                while await reader.read(65_536):
                    pass
            except OSError:
                pass
            finally:
                writer.close()
            self.dropped += 1
            await asyncio.sleep(self._reopen_s)


@asynccontextmanager
async def strangers(
    ports: Sequence[int], sends: Sequence[bytes], count: int, *, reopen_s: float = REOPEN_S
) -> AsyncGenerator[Strangers]:
    crowd = Strangers(ports, sends, count, reopen_s)
    holding = asyncio.create_task(crowd.hold())
    try:
        yield crowd
    finally:
        await cancel(holding)
