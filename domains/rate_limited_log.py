"""What anybody may cause at will is logged once in a while, and how often it happened."""

from __future__ import annotations

import logging
import time

EVERY_S = 60.0


class RateLimitedLog:
    """For one message; make one for each."""

    def __init__(self, log: logging.Logger, message: str, *, every_s: float = EVERY_S) -> None:
        self._log = log
        self._message = message
        self._every_s = every_s
        self._again_at = 0.0
        self._unsaid = 0

    def warning(self, *values: object, exc_info: BaseException | None = None) -> None:
        """`values` are the message's."""
        now = time.monotonic()
        if now < self._again_at:
            self._unsaid += 1
            return
        more = f" (and {self._unsaid:,} more before it)" if self._unsaid else ""
        self._again_at, self._unsaid = now + self._every_s, 0
        self._log.warning(self._message + more, *values, exc_info=exc_info)
