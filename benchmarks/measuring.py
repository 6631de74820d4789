"""What is measured of each rival, on one Valkey and one after the other."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from redis.asyncio import Redis

from benchmarks.rivals import Rival

TIMERS = 200
TIMERS_EVERY_S = 0.02
BULK = 3_000
IDLE_S = 5
STUCK_JOBS = 10
FAR_OFF_S = 3600


@dataclass(frozen=True, slots=True)
class Result:
    """Of one rival. Rates are a second; the processor's is a share of one core."""

    lateness_p50_ms: float
    lateness_p99_ms: float
    scheduled_rate: float
    cancelled_rate: float
    idle_command_rate: float
    idle_processor: float
    recovery_s: float


class Server(Protocol):
    async def execute_command(self, *words: str) -> Any: ...
    async def aclose(self) -> None: ...


def server(url: str) -> Server:
    client: object = Redis.from_url(url)  # pyright: ignore[reportUnknownMemberType]
    return cast("Server", client)


async def commands_served(server: Server) -> int:
    stats = cast(
        "Mapping[str, Mapping[str, int]]", await server.execute_command("INFO", "commandstats")
    )
    return sum(stat["calls"] for stat in stats.values())


async def measure(make: Callable[[str], Rival], url: str) -> Result:
    redis, rival = server(url), make(url)
    try:
        await redis.execute_command("FLUSHALL")
        late_ms = await _lateness(rival)
        await redis.execute_command("FLUSHALL")
        scheduled, cancelled = await _throughput(rival)
        commands, processor = await _idleness(rival, redis)
        await redis.execute_command("FLUSHALL")
        recovery = await _recovery(rival, redis, url)
    finally:
        await rival.close()
        await redis.aclose()
    return Result(
        statistics.median(late_ms),
        statistics.quantiles(late_ms, n=100)[98],
        scheduled,
        cancelled,
        commands,
        processor,
        recovery,
    )


async def _lateness(rival: Rival) -> list[float]:
    """Timers from one second on, each at its own instant."""
    due: dict[str, float] = {}
    late_ms: dict[str, float] = {}
    all_ran = asyncio.Event()

    async def note(key: str) -> None:
        late_ms[key] = (time.time() - due[key]) * 1000
        if len(late_ms) == TIMERS:
            all_ran.set()

    async with rival.working(note):
        first = time.time() + 1
        due |= {f"timer {n}": first + n * TIMERS_EVERY_S for n in range(TIMERS)}
        for key, moment in due.items():
            await rival.schedule(key, moment)
        await asyncio.wait_for(all_ran.wait(), 60)
    return list(late_ms.values())


async def _throughput(rival: Rival) -> tuple[float, float]:
    """Timers set and cancelled a second, one by one."""
    due = time.time() + FAR_OFF_S
    keys = [f"bulk {n}" for n in range(BULK)]

    async def schedule(key: str) -> None:
        await rival.schedule(key, due)

    return await _rate(schedule, keys), await _rate(rival.cancel, keys)


async def _rate(act: Callable[[str], Awaitable[None]], keys: list[str]) -> float:
    started = time.perf_counter()
    for key in keys:
        await act(key)
    return len(keys) / (time.perf_counter() - started)


async def _idleness(rival: Rival, redis: Server) -> tuple[float, float]:
    async def nothing(_: str) -> None:
        return

    async with rival.working(nothing):
        await rival.schedule("far off", time.time() + FAR_OFF_S)
        await asyncio.sleep(2)
        commands, processor = await commands_served(redis), time.process_time()
        await asyncio.sleep(IDLE_S)
        processor = time.process_time() - processor
        commands = await commands_served(redis) - commands
    return commands / IDLE_S, processor / IDLE_S


async def _recovery(rival: Rival, redis: Server, url: str) -> float:
    """From the SIGKILL of a worker until the last of its jobs runs again elsewhere."""
    run_again: set[str] = set()
    all_did = asyncio.Event()

    async def note(key: str) -> None:
        run_again.add(key)
        if len(run_again) == STUCK_JOBS:
            all_did.set()

    for n in range(STUCK_JOBS):
        await rival.schedule(f"stuck {n}", time.time() + 0.1)
    program = Path(__file__).with_name("lateness.py")
    stuck = await asyncio.create_subprocess_exec(
        sys.executable, str(program), "--be-stuck", rival.name, "--redis-url", url
    )
    while await redis.execute_command("LLEN", rival.active) < STUCK_JOBS:  # noqa: ASYNC110  # not ours
        await asyncio.sleep(0.05)
    await asyncio.sleep(1)  # the last of them is marked as running, too
    async with rival.working(note):
        stuck.kill()
        await stuck.wait()
        killed = time.perf_counter()
        await asyncio.wait_for(all_did.wait(), 300)
        return time.perf_counter() - killed
