"""Runs overdue jobs in this process while Redis is away, with the same retries.

What it remembers is lost with the process, and that is no harm: the jobs' truth is in PostgreSQL.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from domains.absence import means_away
from domains.logs import log_about
from domains.retry_policy import AWAY_RETRY
from domains.scheduled_task.job_type import (
    JobRequest,
    JobType,
    NoRetryError,
    NotDueError,
)
from domains.scheduled_task.workers.time_limit import within
from domains.telemetry import NO_TELEMETRY, Telemetry

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Attempts:
    job_type: JobType
    failed: int = 0
    not_before: float = 0.0
    """Monotonic seconds."""


class LocalRunner:
    def __init__(self, concurrency: int, telemetry: Telemetry = NO_TELEMETRY) -> None:
        self._slots = asyncio.Semaphore(concurrency)
        self._telemetry = telemetry
        self._running: dict[str, asyncio.Task[None]] = {}
        self._attempts: dict[str, _Attempts] = {}

    def offer(self, job_type: JobType, requests: Sequence[JobRequest]) -> None:
        """Start those that are neither running nor waiting for their next attempt. These are all
        that are overdue now: what is remembered of others is dropped."""
        offered = {request.key for request in requests}
        for key in [key for key, each in self._attempts.items() if each.job_type is job_type]:
            if key not in offered and key not in self._running:
                del self._attempts[key]
        for request in requests:
            attempts = self._attempts.setdefault(request.key, _Attempts(job_type))
            if (
                request.key not in self._running
                and attempts.failed < job_type.policy.attempts
                and attempts.not_before <= time.monotonic()
            ):
                task = asyncio.create_task(self._run(job_type, request, attempts))
                self._running[request.key] = task
                task.add_done_callback(lambda _, key=request.key: self._running.pop(key, None))

    async def _run(self, job_type: JobType, request: JobRequest, attempts: _Attempts) -> None:
        log_about(job_id=request.key, ticket_id=request.payload.get("ticket_id"))
        async with self._slots:
            outcome = await self._attempt(job_type, request, attempts)
        if outcome is not None:
            self._telemetry.job_ended(job_type.name, outcome)

    async def _attempt(
        self, job_type: JobType, request: JobRequest, attempts: _Attempts
    ) -> str | None:
        """How it ended, as the queue would tell of it; None if it came too early."""
        try:
            await within(job_type.policy.timeout, job_type.run(request.payload))
        except NotDueError as early:
            attempts.not_before = time.monotonic() + early.remaining.total_seconds()
            return None
        except NoRetryError:
            attempts.failed = job_type.policy.attempts
            return "failed"
        except Exception as error:  # the job type has logged it
            if means_away(error):
                attempts.not_before = time.monotonic() + AWAY_RETRY.total_seconds()
                return "retried"
            attempts.failed += 1
            delay = job_type.policy.delay_after(attempts.failed)
            attempts.not_before = time.monotonic() + delay.total_seconds()
            if attempts.failed < job_type.policy.attempts:
                return "retried"
            await self._give_up(job_type, request, error)
            return "failed"
        self._attempts.pop(request.key, None)
        return "complete"

    async def _give_up(self, job_type: JobType, request: JobRequest, error: Exception) -> None:
        try:
            await job_type.give_up(request.payload, error)
        except Exception:
            log.exception("Giving up job %s failed too", request.key)

    def clear(self) -> None:
        """Redis is back and keeps the count from here."""
        self._attempts = {
            key: attempts for key, attempts in self._attempts.items() if key in self._running
        }

    async def drain(self, grace: timedelta) -> None:
        running = list(self._running.values())
        if running:
            _, late = await asyncio.wait(running, timeout=grace.total_seconds())
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
