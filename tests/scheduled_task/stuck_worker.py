"""A worker in a process of its own, whose jobs never end: to be killed.

python -m tests.scheduled_task.stuck_worker REDIS_URL CONCURRENCY
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import timedelta

from domains.scheduled_task.queues import PunctualQueue
from domains.scheduled_task.redis_client import connect
from domains.scheduled_task.redis_health import RedisHealth
from domains.scheduled_task.workers.worker import PunctualWorker

from .job_types import Note
from .redis_view import INSTALLATION_ID, LABEL


async def _never_end(_: str) -> None:
    await asyncio.Event().wait()


async def main(url: str, concurrency: int) -> None:
    client = connect(url, socket_timeout=5)
    health = RedisHealth(client, INSTALLATION_ID)
    assert await health.check()
    worker = PunctualWorker(
        PunctualQueue(client, LABEL, installation_id=INSTALLATION_ID, clock=time.time),
        [Note(_never_end)],
        health,
        concurrency=concurrency,
        grace=timedelta(0),
    )
    await worker.start()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
