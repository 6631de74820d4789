"""The two charts, computed here and drawn as SVG by the templates. Each stretches to the width it
is given, so the labels stand outside, spread evenly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domains.formatting import milliseconds
from domains.monitoring.models import LateClose

HEIGHT = 100.0
BAR = 10.0
GAP = 2.0
TICK_EVERY_H = 12
FEWEST_CLOSES = 40
"""Fewer leave room at the left, instead of growing as wide as houses."""
LATE_MS = 1_000
VERY_LATE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    title: str
    tone: str = "good"
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    width: float
    bars: Sequence[Bar]
    ticks: Sequence[str]
    """Along the x axis, evenly spread."""
    levels: Sequence[str]
    """Along the y axis, from the top, evenly spread."""
    description: str


def timers_chart(by_hour: Sequence[int], now: datetime) -> Chart:
    start = now.replace(minute=0, second=0, microsecond=0)
    most = max(by_hour, default=0)
    bars = [
        _bar(hour, number / most, f"{_hour(start, hour)}: {number}")
        for hour, number in enumerate(by_hour)
        if number
    ]
    return Chart(
        width=len(by_hour) * BAR,
        bars=bars,
        ticks=[f"{start + timedelta(hours=h):%a %H:%M}" for h in _every(len(by_hour))],
        levels=[str(most), "0"] if most else [],
        description=f"{sum(by_hour)} timers due in the next {len(by_hour)} hours",
    )


def _every(hours: int) -> range:
    return range(0, hours + 1, TICK_EVERY_H)


def _hour(start: datetime, hour: int) -> str:
    return f"{start + timedelta(hours=hour):%A %H:%M} UTC"


def lateness_chart(closes: Sequence[LateClose]) -> Chart:
    """One bar a close, oldest first, on a logarithmic scale that begins at 1 ms."""
    most = max((close.late_ms for close in closes), default=0)
    decades = max(2, math.ceil(math.log10(max(most, 1))))
    first = max(0, FEWEST_CLOSES - len(closes))
    bars = [
        _bar(
            place,
            math.log10(max(close.late_ms, 1)) / decades,
            f"ticket {close.ticket_id}, {close.at:%a %d %b %H:%M:%S} UTC: "
            f"{milliseconds(close.late_ms)} late",
            tone=_tone(close.late_ms),
            href=f"/tickets/{close.ticket_id}",
        )
        for place, close in enumerate(reversed(closes), start=first)
    ]
    return Chart(
        width=max(len(closes), FEWEST_CLOSES) * BAR,
        bars=bars,
        ticks=["older", "newer"] if bars else [],
        levels=[milliseconds(10**decade) for decade in range(decades, -1, -1)] if bars else [],
        description=f"How late the last {len(closes)} closes were decided",
    )


def _bar(
    place: int, share: float, title: str, *, tone: str = "good", href: str | None = None
) -> Bar:
    height = max(2.0, share * HEIGHT)
    return Bar(
        x=place * BAR + GAP / 2,
        y=round(HEIGHT - height, 2),
        width=BAR - GAP,
        height=round(height, 2),
        title=title,
        tone=tone,
        href=href,
    )


def _tone(late_ms: int) -> str:
    if late_ms < LATE_MS:
        return "good"
    return "late" if late_ms < VERY_LATE_MS else "very-late"
