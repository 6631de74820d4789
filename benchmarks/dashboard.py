"""The dashboard over 50,000 tickets with two alarms each, beside what SAQ's own page reads.

    python benchmarks/dashboard.py        takes ten seconds, on servers of its own

Prints a table in Markdown.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).parents[1]))  # this is a program beside the packages

import aiohttp
from pydantic import SecretStr
from redis.asyncio import Redis
from saq.job import Status
from saq.queue.redis import RedisQueue

from bot import connect_domains
from domains.database import Database
from domains.effects import EffectRunner
from domains.monitoring.figure_keeper import count_all
from domains.monitoring.metrics import Metrics
from domains.monitoring.names import NoNames
from domains.scheduled_task import ScheduledTask
from domains.scheduled_task.job_type import TICKET_LIFECYCLE, JobRequest
from domains.scheduled_task.queues.queue import FAILED
from domains.settings import Settings
from domains.tasks import cancel
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.channels import TicketChannels
from domains.transcripts import TranscriptStore
from embedded import EmbeddedServers
from web import OperatorsView
from web.pages import PAGE

TIMERS = 50_000
NEED_ATTENTION = 500
LAST_PAGE = 2 * TIMERS // PAGE
"""Each ticket's close has its reminder."""
RENDERS = 30
TICK_S = 0.001
PASSWORD = "a-password-for-a-benchmark"
RIVAL = f"SAQ's `queue.info(jobs=True)`, {PAGE} jobs"
TRACEBACK = "Traceback\n" + 40 * '  File "closing.py", line 1, in step\n' + "RuntimeError: no"

PAGES = {
    "overview": "/",
    "deadlines, first page": "/deadlines",
    "deadlines, last page": f"/deadlines?page={LAST_PAGE}",
    "delayed jobs, first page": "/jobs/delayed",
    "delayed jobs, last page": f"/jobs/delayed?page={LAST_PAGE}",
    "failed jobs": "/jobs/failed",
    "tickets that need attention": "/tickets/attention",
    "one ticket, with its jobs": "/tickets/1",
    "list of tickets": "/tickets",
    "list of tickets, a page in the middle": f"/tickets?before={TIMERS // 2}",
    "tickets with a deadline": "/tickets?state=timed",
    "tickets with a word in the subject": "/tickets?subject=fire",
    "tickets with a word that none has": "/tickets?subject=water&server=1",
    "trends of 30 days": "/trends?span=month",
}


@dataclass(frozen=True, slots=True)
class Rendering:
    median_ms: float
    longest_stall_ms: float
    """How long the loop, and with it the bot, did nothing else."""


class _Gateway:
    latency = 0.04

    def is_ready(self) -> bool:
        return True


async def measure(render: Callable[[], Awaitable[object]]) -> Rendering:
    """The first one, which opens connections, is left out, and so is the litter of the filling."""
    await render()
    gc.collect()
    stalls_ms, took_ms = [0.0], list[float]()
    watch = asyncio.create_task(_note_stalls(stalls_ms))
    for _ in range(RENDERS):
        began = time.perf_counter()
        await render()
        took_ms.append((time.perf_counter() - began) * 1000)
    await cancel(watch)
    return Rendering(statistics.median(took_ms), max(stalls_ms))


async def _note_stalls(stalls_ms: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(TICK_S)
        stalls_ms.append((time.perf_counter() - began - TICK_S) * 1000)


@asynccontextmanager
async def a_large_server(servers: EmbeddedServers, folder: Path) -> AsyncGenerator[tuple[str, str]]:
    """Its dashboard's address, and its queue's name in Redis. No worker runs, so that the pages are
    all there is to do."""
    database = Database(lambda: servers.database_url)
    scheduler = ScheduledTask(database, lambda: servers.redis_url)
    effects = EffectRunner(database)
    # Discord is not spoken to by any page.
    tickets = TicketLifecycle(
        database,
        cast("TicketChannels", object()),
        effects,
        TranscriptStore(folder / "transcripts"),
    )
    connect_domains(database, tickets, scheduler, effects)
    settings = Settings().model_copy(
        update={
            "dashboard_password": SecretStr(PASSWORD),
            "dashboard_host": "127.0.0.1",
            "dashboard_port": 0,
            "metrics_port": None,
        }
    )
    view = OperatorsView(
        settings,
        database=database,
        scheduled_task=scheduler,
        tickets=tickets,
        gateway=_Gateway(),
        names=NoNames(),
        metrics=Metrics(),
        addresses=lambda: (servers.database_url, servers.redis_url),
    )
    async with AsyncExitStack() as stack:
        await database.connect()
        stack.push_async_callback(database.close)
        assert await scheduler.connect()
        stack.push_async_callback(scheduler.shutdown)
        await _fill(database, scheduler)
        await stack.enter_async_context(view.serving())
        name = scheduler.queues[TICKET_LIFECYCLE].name
        yield f"http://127.0.0.1:{view.dashboard_port}", name


async def _fill(database: Database, scheduler: ScheduledTask) -> None:
    async with database.connection() as connection:
        await connection.execute(
            """insert into punctual.tickets
                   (guild_id, number, channel_id, opener_id, subject, attention)
               select 1, n, n, n, 'The printer is on fire',
                      case when n > $1 then '{"code": "other", "text": "Look"}'::jsonb end
               from generate_series(1, $1::int + $2::int) n""",
            TIMERS,
            NEED_ATTENTION,
        )
        await connection.execute(
            """insert into punctual.close_requests (ticket_id, requested_by_id, auto_close_at)
               select id, 1, now() + id * interval '5 seconds' + interval '1 hour'
               from punctual.tickets where attention is null"""
        )
        await connection.execute(
            """insert into punctual.ticket_events (ticket_id, guild_id, event, at, late_ms)
               select id, 1, 'expired', now() - id * interval '50 seconds', id % 100
               from punctual.tickets"""
        )
        await connection.execute("analyze")
    await count_all(database)
    queue = scheduler.queues[TICKET_LIFECYCLE]
    for number in range(FAILED.number):
        failed = JobRequest(f"failed-{number}", 0, number, {"ticket_id": number})
        assert await queue.add(scheduler.job_types["auto-close"], failed)
        await queue.promote_due()
        job = await queue.dequeue(timeout=1)
        assert job is not None
        await queue.finish(job, Status.FAILED, error=TRACEBACK)
    await scheduler.reconcile()
    counts = await scheduler.counts()
    # Each has a reminder besides.
    assert (counts.delayed, counts.failed) == (2 * TIMERS, FAILED.number), counts


async def compare(servers: EmbeddedServers, folder: Path) -> None:
    print("filling ...", file=sys.stderr)
    results: dict[str, Rendering] = {}
    login = {"Authorization": aiohttp.encode_basic_auth("admin", PASSWORD)}
    async with (
        a_large_server(servers, folder) as (address, queue_name),
        aiohttp.ClientSession(address, headers=login) as http,
    ):
        client: object = Redis.from_url(servers.redis_url)  # pyright: ignore[reportUnknownMemberType]
        saq = RedisQueue(cast("Any", client), name=queue_name)
        print("measuring ...", file=sys.stderr)
        results[RIVAL] = await measure(lambda: saq.info(jobs=True, limit=PAGE))
        for name, path in PAGES.items():
            results[name] = await measure(lambda path=path: _render(http, path))
        await saq.disconnect()
    print(table(results))


async def _render(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(path) as response:
        assert response.status == 200, path
        await response.read()


def table(results: dict[str, Rendering]) -> str:
    rival = results[RIVAL]
    lines = ["| | median | longest stall of the loop |", "| --- | --- | --- |"]
    lines += [
        f"| {name} | {of.median_ms / rival.median_ms:.1f} x ({of.median_ms:.0f} ms) "
        f"| {of.longest_stall_ms:.0f} ms |"
        for name, of in results.items()
    ]
    return "\n".join(lines)


async def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        async with EmbeddedServers(folder, durable=False) as servers:
            await compare(servers, folder)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(main())
