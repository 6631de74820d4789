"""What a job type is. A new one is one new file in `jobs/`, and nothing else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

from domains.database import Database
from domains.retry_policy import RETRY_DELAYS, delay_after
from domains.ticket_lifecycle import TicketLifecycle

Payload = Mapping[str, object]
"""A job's arguments as they travel through Redis: JSON."""

TICKET_LIFECYCLE = "ticket-lifecycle"


@dataclass(frozen=True, slots=True)
class RunPolicy:
    retry_delays: tuple[timedelta, ...] = RETRY_DELAYS
    """How long after each failed attempt the next one comes; one more attempt than delays."""
    timeout: timedelta = timedelta(minutes=15)
    keep_completed: bool = True
    """Whether the record of a success is of use to anybody."""

    @property
    def attempts(self) -> int:
        return len(self.retry_delays) + 1

    def delay_after(self, attempt: int) -> timedelta:
        """The pause after the attempt of this number, counted from 1."""
        return delay_after(attempt, self.retry_delays)


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A job that ought to be in the queue. The same key is the same job."""

    key: str
    due: float
    """Seconds since the epoch, by PostgreSQL's clock."""
    subject_id: int
    """Whose job it is (a ticket's id): jobs are found by it without a scan."""
    payload: Payload = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class JobServices:
    """What a job type may use; each is made with it."""

    database: Database
    ticket_lifecycle: TicketLifecycle


class NotDueError(Exception):
    """The job came before its time: it is put back without counting as an attempt."""

    def __init__(self, remaining: timedelta) -> None:
        super().__init__(f"due in {remaining}")
        self.remaining = remaining


class NoRetryError(Exception):
    """No further attempt is of use, and all is done about it: the job fails at once."""


class UnknownJobTypeError(NoRetryError):
    def __init__(self, name: str) -> None:
        super().__init__(f"Unknown job type: {name}")


class JobType(ABC):
    """Runs jobs of one name. A timer is a `TimerKind`, whose jobs follow from PostgreSQL."""

    def __init__(self, services: JobServices) -> None:
        self.services = services

    name: ClassVar[str]
    queue: ClassVar[str] = TICKET_LIFECYCLE
    policy: ClassVar[RunPolicy] = RunPolicy()

    @abstractmethod
    async def run(self, payload: Payload) -> None:
        """Do it. It may be called twice for one job, even at once: be idempotent.

        Raise NotDueError if it is too early, AwayError if what it needs is away, NoRetryError if
        it has failed for good, anything else if another attempt is to follow.
        """

    async def give_up(self, payload: Payload, error: Exception) -> None:  # noqa: B027  # optional
        """The last attempt has failed. Not called after a NoRetryError."""
