"""Durations in words."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from babel.numbers import format_decimal

from locales.catalogue import DEFAULT_LOCALE, template

_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def duration(span: timedelta, locale: str = DEFAULT_LOCALE) -> str:
    """`1 minute`, `1 hour 30 minutes`, `30 days`: whole seconds, no zero parts."""
    return " ".join(_parts(round(span.total_seconds()), "durations.{}", locale))


def short_duration(span: timedelta, locale: str = DEFAULT_LOCALE) -> str:
    """The two largest units: `3 h 12 min`."""
    seconds = int(abs(span.total_seconds()))
    largest = next((size for size, _ in _UNITS if seconds >= size), 1)
    smaller = next((size for size, _ in _UNITS if size < largest), 1)
    return " ".join(_parts(seconds - seconds % smaller, "durations.short_{}", locale))


def milliseconds(number: float, locale: str = DEFAULT_LOCALE) -> str:
    """`4 ms`, `1.2 s`, `3 min 20 s`."""
    if number < 1_000:
        return f"{number:.0f} ms"
    if number < 60_000:
        return f"{format_decimal(float(f'{number / 1_000:.3g}'), locale=locale)} s"
    return short_duration(timedelta(milliseconds=number), locale)


def _parts(seconds: int, key: str, locale: str) -> list[str]:
    parts: list[str] = []
    for size, unit in _UNITS:
        count, seconds = divmod(seconds, size)
        if count or (size == 1 and not parts):
            parts.append(template(key.format(unit), locale, count).format(count=count))
    return parts
