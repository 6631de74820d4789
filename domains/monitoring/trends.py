"""How it went: throughput, failures and lateness by hours and days, out of `hourly_figures`.

The caller owns the connection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from domains.ticket_lifecycle.store.figures import COUNTED, COUNTED_UP_TO, HOUR, NOT_TIMED, ROUNDED

if TYPE_CHECKING:
    from domains.database import Connection

ON_TIME_MS = 1_000
HEADLINE = timedelta(days=30)


class Span(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    @property
    def step(self) -> timedelta:
        return {
            Span.DAY: timedelta(hours=1),
            Span.WEEK: timedelta(hours=6),
            Span.MONTH: timedelta(days=1),
        }[self]

    @property
    def steps(self) -> int:
        return {Span.DAY: 24, Span.WEEK: 28, Span.MONTH: 30}[self]


@dataclass(frozen=True, slots=True)
class LatenessFigures:
    """Of timed closes: how many were how late, rounded up to two digits."""

    by_ms: Mapping[int, int] = field(default_factory=dict[int, int])

    @property
    def number(self) -> int:
        return sum(self.by_ms.values())

    @property
    def on_time(self) -> int:
        return sum(number for late, number in self.by_ms.items() if late <= ON_TIME_MS)

    def percentile(self, percent: int) -> int | None:
        """The nearest rank."""
        rank = -(-self.number * percent // 100)
        for late in sorted(self.by_ms):
            rank -= self.by_ms[late]
            if rank <= 0:
                return late
        return None


@dataclass(frozen=True, slots=True)
class Figures:
    """What happened from `start` on, until the next begins."""

    start: datetime
    by_event: Mapping[str, int]
    decided: LatenessFigures
    ended: LatenessFigures

    @property
    def opened(self) -> int:
        return self.by_event.get("opened", 0)

    @property
    def closed(self) -> int:
        return self.by_event.get("closed", 0)

    @property
    def failures(self) -> int:
        """Attempts that failed; most succeed a little later."""
        return self.by_event.get("attempt_failed", 0) + self.by_event.get("close_failed", 0)

    @property
    def attention(self) -> int:
        return self.by_event.get("attention", 0)


@dataclass(frozen=True, slots=True)
class Trends:
    span: Span
    figures: Sequence[Figures]
    """Oldest first, one for each step."""
    total: Figures


_SINCE = f"""select floor(extract(epoch from hour - $1) / $3)::int as step, event, late_ms,
           sum(number)::bigint as number
    from (select hour, event, late_ms, number from punctual.hourly_figures where hour >= $1
          union all
          select {HOUR}, e.event, {ROUNDED}, count(*) from punctual.ticket_events e
          where e.id > {COUNTED_UP_TO} and e.at >= $1
            and e.event = any($2::text[]) group by 1, 2, 3) as figures group by 1, 2, 3"""
Row = tuple[int, str, int, int]


async def _since(connection: Connection, start: datetime, step: timedelta) -> Sequence[Row]:
    """Added up for each step, together with what is not counted yet."""
    records = await connection.fetch(_SINCE, start, list(COUNTED), step.total_seconds())
    return [(r["step"], r["event"], r["late_ms"], r["number"]) for r in records]


async def trends(connection: Connection, span: Span, now: datetime) -> Trends:
    start = _first_step(span, now)
    rows = await _since(connection, start, span.step)
    steps: list[list[Row]] = [[] for _ in range(span.steps)]
    for row in rows:
        steps[min(row[0], span.steps - 1)].append(row)
    return Trends(
        span,
        [_add_up(start + place * span.step, step) for place, step in enumerate(steps)],
        _add_up(start, rows),
    )


async def headline(connection: Connection, now: datetime) -> Figures:
    """Of the last 30 days."""
    start = now - HEADLINE
    return _add_up(start, await _since(connection, start, HEADLINE + timedelta(days=1)))


def _first_step(span: Span, now: datetime) -> datetime:
    """Steps begin where a reader expects them: at whole hours, quarters of days, days."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    current = midnight + (now - midnight) // span.step * span.step
    return current - (span.steps - 1) * span.step


def _add_up(start: datetime, rows: Iterable[Row]) -> Figures:
    by_event, decided, ended = Counter[str](), Counter[int](), Counter[int]()
    for _, event, late_ms, number in rows:
        by_event[event] += number
        if late_ms != NOT_TIMED and event in ("expired", "closed"):
            (decided if event == "expired" else ended)[late_ms] += number
    return Figures(start, by_event, LatenessFigures(decided), LatenessFigures(ended))
