"""Guessing a password gets slower with every wrong one, for who guesses and for nobody else."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FREE_FAILURES = 5
FIRST_DELAY_S = 1.0
MAX_DELAY_S = 60.0
FORGOTTEN_AFTER_S = 15 * 60.0
MAX_GUESSERS = 1_000


@dataclass(slots=True)
class _Guesser:
    failures: int = 0
    failed_at: float = 0.0
    wait_until: float = 0.0


class LoginThrottle:
    """After a few wrong passwords the next one is looked at only after 1, 2, 4, ... seconds."""

    def __init__(
        self, *, max_delay_s: float = MAX_DELAY_S, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_delay_s = max_delay_s
        self._now = now
        self._guessers: OrderedDict[str, _Guesser] = OrderedDict()
        """Who guessed wrong last is the last one."""

    def __len__(self) -> int:
        return len(self._guessers)

    def wait_s(self, who: str) -> float:
        """How long no password of theirs is looked at yet."""
        guesser = self._guessers.get(who)
        return max(0.0, guesser.wait_until - self._now()) if guesser else 0.0

    def failed(self, who: str) -> None:
        now = self._now()
        guesser = self._guessers.pop(who, None)
        if guesser is None or now - guesser.failed_at > FORGOTTEN_AFTER_S:
            guesser = _Guesser()
        guesser.failures += 1
        guesser.failed_at = now
        guesser.wait_until = now + self._delay_s(guesser.failures)
        self._guessers[who] = guesser
        if len(self._guessers) > MAX_GUESSERS:
            self._guessers.popitem(last=False)

    def _delay_s(self, failures: int) -> float:
        if failures < FREE_FAILURES:
            return 0.0
        doubled = min(failures - FREE_FAILURES, 30)
        return min(self._max_delay_s, FIRST_DELAY_S * 2**doubled)
