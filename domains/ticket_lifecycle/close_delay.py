"""How staff writes a delay, and what it may be."""

from __future__ import annotations

import math
import re
from datetime import timedelta

from pytimeparse import parse  # type: ignore[import-untyped]  # it ships no types

from domains.ticket_lifecycle.errors import InvalidDelayError

MAX_CLOSE_DELAY = timedelta(days=30)

_BARE_NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)
_CLOCK = re.compile(r"\d{1,3}:\d\d", re.ASCII)
_GERMAN = tuple(
    (re.compile(rf"(?<=[\d\s])(?:{words})(?![^\W\d])"), unit)
    for words, unit in (
        ("wochen?", "w"),
        ("tage?n?", "d"),
        (r"stunden?|std\.?", "h"),
        (r"minuten|min\.", "m"),
        (r"sekunden?|sek\.?", "s"),
        ("und", " "),
    )
)
"""The parser knows English ones."""


def parse_close_delay(text: str | None, shortest: timedelta) -> timedelta | None:
    """`30m`, `1h30m`, `1:30`, `2 days`, `2 Tage`; a bare number is hours; nothing or `0` is
    no timer (None).

    Raises InvalidDelayError, which says what is allowed.
    """
    seconds = parse_seconds(text)
    if seconds == 0:
        return None
    if (
        seconds is None
        or not shortest.total_seconds() <= seconds <= MAX_CLOSE_DELAY.total_seconds()
    ):
        raise InvalidDelayError("errors.invalid_delay", least=shortest, most=MAX_CLOSE_DELAY)
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
    for words, unit in _GERMAN:
        text = words.sub(unit, text)
    if _CLOCK.fullmatch(text):
        text += ":00"  # hours and minutes, where the parser takes it for minutes and seconds
    seconds = parse(text)
    return None if seconds is None or seconds < 0 else float(seconds)


def delay_from_hours(hours: float | None) -> timedelta | None:
    """None or 0 is no timer. Raises InvalidDelayError for what no clock can wait for."""
    if not hours:
        return None
    if not math.isfinite(hours) or not 0 < hours <= MAX_CLOSE_DELAY.total_seconds() / 3600:
        raise InvalidDelayError("errors.invalid_hours", most=MAX_CLOSE_DELAY)
    return timedelta(hours=hours)
