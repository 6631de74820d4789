"""Ids as Discord makes them: time first, so that sorting by id is sorting by age."""

import time
from datetime import UTC, datetime

DISCORD_EPOCH_MS = 1_420_070_400_000


class Snowflakes:
    """Strictly rising, also within one millisecond and when the clock is set back."""

    def __init__(self) -> None:
        self._latest = 0

    def next(self) -> int:
        now_ms = time.time_ns() // 1_000_000 - DISCORD_EPOCH_MS
        self._latest = max(now_ms << 22, self._latest + 1)
        return self._latest


def created_at(snowflake: int) -> str:
    seconds = ((snowflake >> 22) + DISCORD_EPOCH_MS) / 1000
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def now() -> str:
    return datetime.now(UTC).isoformat()
