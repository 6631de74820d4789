"""A PostgreSQL and a Valkey of the fault tests' own, to be killed, frozen and started again.

They are durable, unlike the other tests' servers: what they have acknowledged outlives a kill.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import asyncpg
from redis.asyncio import Redis

from embedded import EmbeddedServers


class OwnPostgres:
    def __init__(self, data_dir: Path) -> None:
        self._server = EmbeddedServers(data_dir, valkey=False)
        self._killed = False
        self._down = True

    async def start(self) -> None:
        await self._server.start()
        self._down = False

    async def stop(self) -> None:
        self._down = True
        await self._server.stop()

    @property
    def url(self) -> str:
        return self._server.superuser_url  # the tests administer it, too

    @property
    def socket(self) -> str:
        """Where it listens: for a proxy in front of it."""
        return f"{self.url.rpartition('host=')[2]}/.s.PGSQL.5432"

    async def restart(self) -> None:
        """At the same URL, whether it runs or has been killed."""
        if self._killed:
            await self._server.restart_postgres()
            self._killed = False
        else:
            await self.stop()
            await self.start()

    def kill(self) -> None:
        os.kill(self._server.postgres_pid, signal.SIGKILL)
        self._killed = True

    async def heal(self) -> None:
        if self._killed or self._down:
            await self.restart()

    async def execute(self, *statements: str) -> None:
        """Each in a transaction of its own, on a connection of its own."""
        connection = await asyncpg.connect(self.url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()


class OwnValkey:
    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._server = EmbeddedServers(data_dir, postgres=False)
        self._frozen = False
        self._killed = False

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        self.thaw()
        await self._server.stop()

    @property
    def url(self) -> str:
        return self._server.redis_url

    def kill(self) -> None:
        """Dead already is as good."""
        self.thaw()
        if not self._killed:
            os.kill(self._server.valkey_pid, signal.SIGKILL)
        self._killed = True

    async def restart(self) -> None:
        """At the same URL and with its data, whether it runs or has been killed."""
        self.thaw()
        await self._server.restart_valkey()
        self._killed = False

    async def restart_empty(self) -> None:
        """As a machine whose disk was lost."""
        self.kill()
        await asyncio.to_thread(shutil.rmtree, self._data_dir / "valkey" / "appendonlydir")
        await self.restart()

    def freeze(self) -> None:
        """It takes connections and commands, and answers nothing."""
        os.kill(self._server.valkey_pid, signal.SIGSTOP)
        self._frozen = True

    def thaw(self) -> None:
        if self._frozen:
            os.kill(self._server.valkey_pid, signal.SIGCONT)
            self._frozen = False

    async def call(self, *words: str | bytes | float) -> Any:
        """One command, on a connection of its own."""
        redis: Redis = Redis.from_url(self.url)  # pyright: ignore[reportUnknownMemberType]
        try:
            return await redis.execute_command(*words)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        finally:
            await redis.aclose()

    async def heal(self) -> None:
        """As a test finds it: awake, empty, and taking writes."""
        self.thaw()
        if self._killed:
            await self.restart()
        await self.call("CONFIG", "SET", "maxmemory", "0")
        await self.call("CONFIG", "SET", "min-replicas-to-write", "0")
        await self.call("FLUSHALL")
        await self.call("SCRIPT", "FLUSH")
        await self.call("SLOWLOG", "RESET")
