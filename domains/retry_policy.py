"""The one ladder of retries, for jobs and for effects: exact, without jitter."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

RETRY_DELAYS: Final = (timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4))
"""How long after each failed attempt the next one comes."""
MAX_ATTEMPTS: Final = len(RETRY_DELAYS) + 1
"""The first attempt and its retries; then a person is asked."""
AWAY_RETRY: Final = timedelta(seconds=1)
"""How soon something comes again that found what it needs away. That costs no attempt."""


def delay_after(failures: int) -> timedelta:
    """The pause after the failure of this number, counted from 1."""
    return RETRY_DELAYS[min(failures, len(RETRY_DELAYS)) - 1]
