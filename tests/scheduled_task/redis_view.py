"""What an operator sees in Redis, and what may befall it there: the tests' own connection."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from redis.asyncio import Redis

INSTALLATION_ID = "test"
LABEL = "ticket-lifecycle"
QUEUE = f"{INSTALLATION_ID}:{LABEL}"
"""Its name in Redis."""
INCOMPLETE = f"saq:{QUEUE}:incomplete"
QUEUED = f"saq:{QUEUE}:queued"
ACTIVE = f"saq:{QUEUE}:active"
FAILED = f"saq:{QUEUE}:failed"
COMPLETED = f"saq:{QUEUE}:completed"
HEARTBEATS = f"saq:{QUEUE}:stats"

NOT_OF_JOBS = (HEARTBEATS, f"saq:{QUEUE}:worker_info:", "punctual:")
"""Keys of the scheduler itself; all others belong to jobs."""


Word = str | bytes | float


def record_key(job_key: str) -> str:
    return f"saq:job:{QUEUE}:{job_key}"


class Pipeline(Protocol):
    def execute_command(self, *words: Word) -> object: ...
    async def execute(self) -> list[object]: ...


class Client(Protocol):
    """redis-py's, with types."""

    async def aclose(self) -> None: ...
    async def execute_command(self, *words: Word) -> Any: ...
    def pipeline(self, transaction: bool) -> Pipeline: ...


class RedisView:
    def __init__(self, url: str) -> None:
        client: object = Redis.from_url(url)  # pyright: ignore[reportUnknownMemberType]
        self._client = cast("Client", client)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def call(self, *words: Word) -> Any:
        return await self._client.execute_command(*words)

    async def call_all(self, commands: Iterable[tuple[Word, ...]]) -> None:
        """Many commands in one round trip."""
        pipeline = self._client.pipeline(transaction=False)
        for words in commands:
            pipeline.execute_command(*words)
        await pipeline.execute()

    # --- jobs

    async def keys(self) -> set[str]:
        """All keys that belong to jobs."""
        found = cast("list[bytes]", await self.call("KEYS", "*"))
        return {name.decode() for name in found if not name.decode().startswith(NOT_OF_JOBS)}

    async def length(self, name: str) -> int:
        kind = cast("bytes", await self.call("TYPE", name))
        if kind == b"none":
            return 0
        return await self.call("LLEN" if kind == b"list" else "ZCARD", name)

    async def ids(self, name: str) -> list[str]:
        """The job keys in a list or sorted set, in its order."""
        kind = cast("bytes", await self.call("TYPE", name))
        if kind == b"none":
            return []  # it may come into being before the next command
        ids = cast("list[bytes]", await self.call(_RANGE[kind == b"list"], name, 0, -1))
        return [job_id.decode().removeprefix(record_key("")) for job_id in ids]

    async def due(self, job_key: str) -> float | None:
        """The score of an unfinished job: when it is due, 0 if it is queued or active."""
        score = cast("float | None", await self.call("ZSCORE", INCOMPLETE, record_key(job_key)))
        return None if score is None else float(score)

    async def make_due(self, job_key: str) -> None:
        """Let its time come."""
        await self.call("ZADD", INCOMPLETE, "XX", 1, record_key(job_key))

    async def raw_record(self, job_key: str) -> bytes | None:
        return await self.call("GET", record_key(job_key))

    async def record(self, job_key: str) -> dict[str, Any]:
        record = await self.raw_record(job_key)
        assert record is not None, f"{job_key} has no record"
        return json.loads(record)

    async def edit_record(self, job_key: str, **changes: object) -> None:
        record = await self.record(job_key)
        await self.call("SET", record_key(job_key), json.dumps(record | changes))

    async def time_to_live(self, job_key: str) -> int:
        return await self.call("TTL", record_key(job_key))

    async def silence_workers(self) -> None:
        """The heartbeat of every worker runs out, as it does seconds after a death."""
        heartbeats = cast("list[bytes]", await self.call("ZRANGE", HEARTBEATS, 0, -1))
        for heartbeat in heartbeats:
            await self.call("DEL", heartbeat)

    # --- what the server had to do

    async def commands_served(self) -> Counter[str]:
        stats = cast("Mapping[str, Mapping[str, int]]", await self.call("INFO", "commandstats"))
        return Counter({name: stat["calls"] for name, stat in stats.items()})

    async def note_slow_commands(self) -> None:
        await self.call("CONFIG", "SET", "slowlog-log-slower-than", 10_000)
        await self.call("SLOWLOG", "RESET")

    async def slow_commands(self) -> SlowCommands:
        """Those since the last `note_slow_commands`, but not the tests' own."""
        entries = cast(
            "list[tuple[int, int, int, list[bytes]]]", await self.call("SLOWLOG", "GET", 128)
        )
        return SlowCommands(
            {
                b" ".join(words[:3])[:80].decode(errors="replace"): microseconds / 1000
                for _, _, microseconds, words, *_ in entries
                if not words[0].startswith(_OPERATORS)
            }
        )


@dataclass(frozen=True)
class SlowCommands:
    """Commands that took 10 ms or more, with the milliseconds."""

    took_ms: Mapping[str, float]

    @property
    def that_block(self) -> list[str]:
        """On a busy machine even a GET takes 20 ms now and then, when the server has to wait for
        a processor. SAQ's own look at 100,000 due jobs takes 280."""
        return [text for text, ms in self.took_ms.items() if ms >= 150]

    def __str__(self) -> str:
        if not self.took_ms:
            return "no command of 10 ms or more"
        worst = max(self.took_ms, key=self.took_ms.__getitem__)
        return (
            f"{len(self.took_ms)} commands of 10 ms or more,"
            f" the worst {self.took_ms[worst]:.0f} ms ({worst})"
        )


_RANGE = {True: "LRANGE", False: "ZRANGE"}
_OPERATORS = (b"KEYS", b"INFO", b"CONFIG", b"SLOWLOG", b"FLUSHALL")
