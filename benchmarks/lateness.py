"""Punctual's queue beside SAQ's own (and BullMQ, if it is there), on one Valkey, in one run.

    python benchmarks/lateness.py                      takes two to four minutes
    python benchmarks/lateness.py --redis-url URL      on a server of yours, which is emptied

Then whole closes, with a PostgreSQL of their own: how late they are decided, and how late they end.

Prints two tables in Markdown. For the third column of the first:
`npm install --prefix benchmarks bullmq ioredis`.
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
from benchmarks.closes import CLOSES, Closes, measure_closes
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


def table_of(closes: Closes) -> str:
    lines = [[f"lateness of {CLOSES} closes", "p50", "p99"], ["---"] * 3]
    for name, of in (("decided", closes.decided), ("the channel gone", closes.ended)):
        lines.append([name, f"{of.p50_ms:.0f} ms", f"{of.p99_ms:.0f} ms"])
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


async def run(redis_url: str | None) -> None:
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        async with EmbeddedServers(folder, valkey=redis_url is None, durable=False) as servers:
            url = redis_url or servers.redis_url
            await compare(url)
            print("measuring whole closes ...", file=sys.stderr)
            print(f"\n{table_of(await measure_closes(servers.database_url, url, folder))}")


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
    else:
        asyncio.run(run(options.redis_url))


if __name__ == "__main__":
    main()
