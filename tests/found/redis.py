"""What is in Redis, by the ends of the keys: what stands before them is the installation's own."""

from __future__ import annotations

from typing import Any, cast

from tests.faults.fault_env import timer_key
from tests.faults.own_servers import OwnValkey
from tests.found.sql import Request

_LENGTH = {b"list": "LLEN", b"zset": "ZCARD", b"hash": "HLEN", b"set": "SCARD"}


class Redis:
    def __init__(self, valkey: OwnValkey) -> None:
        self._call = valkey.call

    async def call(self, *words: str | bytes | float) -> Any:
        return await self._call(*words)

    async def keys(self, end: str) -> list[str]:
        found = cast("list[bytes]", await self._call("KEYS", f"*{end}"))
        return [name.decode() for name in found]

    async def key(self, end: str) -> str:
        """The one with this end."""
        [name] = await self.keys(end)
        return name

    async def has_timer(self, request: Request) -> bool:
        """The job that waits for its deadline."""
        assert request.auto_close_at is not None
        return bool(await self.keys(timer_key(request.ticket_id, request.auto_close_at)))

    async def length(self, end: str) -> int:
        """Of all lists and sets whose key ends so; none is as good as empty."""
        total = 0
        for name in await self.keys(end):
            kind = cast("bytes", await self._call("TYPE", name))
            if kind in _LENGTH:
                total += cast("int", await self._call(_LENGTH[kind], name))
        return total

    async def reads(self) -> int:
        """How often anybody sent the server something, since it started: a pipeline is once."""
        info = cast("dict[str, int]", await self._call("INFO", "stats"))
        return info["total_reads_processed"]
