"""Punctual's queue beside SAQ's own (and BullMQ, if it is there), on one Valkey, in one run.

    python benchmarks/lateness.py                      takes two to four minutes
    python benchmarks/lateness.py --redis-url URL      on a server of yours, which is emptied

Prints a table in Markdown. For the third column: `npm install --prefix benchmarks bullmq ioredis`.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this is a program beside the packages

from benchmarks.bullmq import is_installed, measure_bullmq
from benchmarks.measuring import STUCK_JOBS, TIMERS, Result, measure
from benchmarks.rivals import RIVALS, StockSaq
from embedded import EmbeddedServers

Cell = Callable[[Result, Result], str]

ROWS: tuple[tuple[str, Cell], ...] = (
    (f"lateness of {TIMERS} timers, p50", lambda of, _: f"{of.lateness_p50_ms:.0f} ms"),
    (f"lateness of {TIMERS} timers, p99", lambda of, _: f"{of.lateness_p99_ms:.0f} ms"),
    (
        "timers set, one by one",
        lambda of, stock: _ratio(of.scheduled_rate, stock.scheduled_rate),
    ),
    (
        "timers cancelled, one by one",
        lambda of, stock: _ratio(of.cancelled_rate, stock.cancelled_rate),
    ),
    ("idle: commands a second", lambda of, _: f"{of.idle_command_rate:.0f}"),
    ("idle: processor", lambda of, _: f"{of.idle_processor:.1%}"),
    (
        f"SIGKILL: its {STUCK_JOBS} jobs run again after",
        lambda of, _: f"{of.recovery_s:.0f} s",
    ),
)


def _ratio(rate: float, of_stock: float) -> str:
    return f"{rate / of_stock:.2f} x ({rate:,.0f}/s)"


def table(results: Mapping[str, Result]) -> str:
    stock = results[StockSaq.name]
    lines = [["", *results], ["---"] * (len(results) + 1)]
    lines += [[name, *(cell(result, stock) for result in results.values())] for name, cell in ROWS]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


async def compare(url: str) -> None:
    results: dict[str, Result] = {}
    for rival in RIVALS:
        print(f"measuring {rival.name} ...", file=sys.stderr)
        results[rival.name] = await measure(rival, url)
    if is_installed():
        print("measuring BullMQ ...", file=sys.stderr)
        if (result := await measure_bullmq(url)) is not None:
            results["BullMQ"] = result
    else:
        print("BullMQ is not installed, and left out", file=sys.stderr)
    print(table(results))


async def compare_on_a_server_of_its_own() -> None:
    with tempfile.TemporaryDirectory() as directory:
        async with EmbeddedServers(Path(directory), postgres=False, durable=False) as servers:
            await compare(servers.redis_url)


async def be_stuck(name: str, url: str) -> None:
    """The worker that is killed: its jobs never end."""

    async def never_end(_: str) -> None:
        await asyncio.Event().wait()

    rival = next(rival for rival in RIVALS if rival.name == name)(url)
    async with rival.working(never_end):
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare queues.", allow_abbrev=False)
    parser.add_argument("--redis-url", help="a server that may be emptied; default: one of its own")
    parser.add_argument("--be-stuck", help=argparse.SUPPRESS)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if options.be_stuck:
        asyncio.run(be_stuck(options.be_stuck, options.redis_url))
    elif options.redis_url:
        asyncio.run(compare(options.redis_url))
    else:
        asyncio.run(compare_on_a_server_of_its_own())


if __name__ == "__main__":
    main()
