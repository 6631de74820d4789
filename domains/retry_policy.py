"""How what has failed is tried again, jobs and effects alike: exactly, without jitter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

RETRY_DELAYS: Final = (timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4))
"""How long after each failed attempt the next one comes."""
QUICK_RETRY_DELAYS: Final = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2))
"""For what is only said, and is of little use late."""
MAX_ATTEMPTS: Final = len(RETRY_DELAYS) + 1
"""The first attempt and its retries; then a person is asked."""
AWAY_RETRY: Final = timedelta(seconds=1)
"""How soon something comes again that found what it needs away. That costs no attempt."""


def delay_after(failures: int, delays: Sequence[timedelta] = RETRY_DELAYS) -> timedelta:
    """The pause after the failure of this number, counted from 1."""
    return delays[min(failures, len(delays)) - 1] if delays else timedelta(0)
