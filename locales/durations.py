"""Durations in words."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from locales.catalogue import DEFAULT_LOCALE, template

_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def duration(span: timedelta, locale: str = DEFAULT_LOCALE) -> str:
    """`1 minute`, `1 hour 30 minutes`, `30 days`: whole seconds, no zero parts."""
    seconds = round(span.total_seconds())
    parts: list[str] = []
    for size, unit in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(_counted(unit, count, locale))
    return " ".join(parts) or _counted("second", 0, locale)


def _counted(unit: str, count: int, locale: str) -> str:
    return template(f"durations.{unit}", locale, count).format(count=count)
