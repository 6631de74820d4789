"""A timer as PostgreSQL wants it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from domains.scheduled_task.job_type import JobRequest, Payload


@dataclass(frozen=True, slots=True)
class Timer:
    kind: str
    subject_id: int
    owner_id: int
    guild_id: int
    due: datetime
    payload: Payload

    @property
    def due_ms(self) -> int:
        """In epoch milliseconds, rounded up: a job must never come early."""
        return math.ceil(round(self.due.timestamp() * 1000, 3))

    @property
    def key(self) -> str:
        """A function of the row: enqueueing twice is enqueueing once, cancelling needs no stored
        id, and a changed deadline is another job."""
        return f"{self.kind}-{self.subject_id}-{self.due_ms}"

    @property
    def job(self) -> JobRequest:
        return JobRequest(
            key=self.key, due=self.due_ms / 1000, subject_id=self.owner_id, payload=self.payload
        )
