"""What is broken now, worst first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domains.monitoring.models import TabCounts


class Trouble(StrEnum):
    """In the order of how bad it is: first what keeps every ticket from closing."""

    NO_POSTGRESQL = "no_postgresql"
    NO_WORKER = "no_worker"
    NO_DISCORD = "no_discord"
    OVERDUE = "overdue"
    NO_REDIS = "no_redis"
    DISK = "disk"
    ATTENTION = "attention"
    FAILED_JOBS = "failed_jobs"


GRAVE = frozenset(
    (Trouble.NO_POSTGRESQL, Trouble.NO_WORKER, Trouble.NO_DISCORD, Trouble.OVERDUE, Trouble.DISK)
)
"""Tickets do not close, or not in time."""


@dataclass(frozen=True, slots=True)
class Problem:
    trouble: Trouble
    number: int = 0
    detail: str = ""

    @property
    def is_grave(self) -> bool:
        return self.trouble in GRAVE


@dataclass(frozen=True, slots=True)
class Health:
    """What every page says."""

    problems: tuple[Problem, ...]
    counts: TabCounts

    @property
    def is_grave(self) -> bool:
        return any(problem.is_grave for problem in self.problems)
