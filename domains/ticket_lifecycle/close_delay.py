"""How staff writes a delay, and what it may be."""

from __future__ import annotations

import math
import re
from datetime import timedelta

from pytimeparse import parse  # type: ignore[import-untyped]  # it ships no types

from domains.formatting import duration
from domains.ticket_lifecycle.errors import InvalidDelayError

MAX_CLOSE_DELAY = timedelta(days=30)
SUGGESTIONS = ("1h", "12h", "24h", "3d")

_BARE_NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)
_CLOCK = re.compile(r"\d{1,3}:\d\d", re.ASCII)


def parse_close_delay(text: str | None, shortest: timedelta) -> timedelta | None:
    """`30m`, `1h30m`, `1:30`, `2 days`; a bare number is hours; nothing or `0` is no timer (None).

    Raises InvalidDelayError, which says what is allowed.
    """
    seconds = parse_seconds(text)
    if seconds == 0:
        return None
    if (
        seconds is None
        or not shortest.total_seconds() <= seconds <= MAX_CLOSE_DELAY.total_seconds()
    ):
        raise InvalidDelayError(
            f"The delay must be from {duration(shortest)} to {duration(MAX_CLOSE_DELAY)}, "
            "like `30m`, `1h30m`, `24` (hours) or `2 days`; `0` is no timer."
        )
    return timedelta(seconds=seconds)


def parse_seconds(text: str | None) -> float | None:
    """Nothing is 0; None is what can't be understood."""
    text = (text or "").strip().lower()
    if not text:
        return 0.0
    return float(text) * 3600 if _BARE_NUMBER.fullmatch(text) else _in_words(text)


def _in_words(text: str) -> float | None:
    if len(text) > 50:  # the parser's patterns are not made for more
        return None
    if _CLOCK.fullmatch(text):
        text += ":00"  # hours and minutes, where the parser takes it for minutes and seconds
    seconds = parse(text)
    return None if seconds is None or seconds < 0 else float(seconds)


def delay_from_hours(hours: float | None) -> timedelta | None:
    """None or 0 is no timer. Raises InvalidDelayError for what no clock can wait for."""
    if not hours:
        return None
    if not math.isfinite(hours) or not 0 < hours <= MAX_CLOSE_DELAY.total_seconds() / 3600:
        raise InvalidDelayError(
            f"The delay must be more than nothing and at most {duration(MAX_CLOSE_DELAY)}."
        )
    return timedelta(hours=hours)
