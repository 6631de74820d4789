"""The charts, computed here and drawn as SVG by the templates. Each stretches to the width it is
given, so the labels stand outside, spread evenly; and each is a table as well."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domains.formatting import milliseconds
from domains.monitoring.trends import Figures, LatenessFigures, Span, Trends

HEIGHT = 100.0
STEP = 12.0
GAP = 2.0
TICK_EVERY_H = 12
FEWEST_DECADES = 3
PERCENTILES = (50, 99)


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    title: str
    tone: str


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    tone: str


@dataclass(frozen=True, slots=True)
class Table:
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Chart:
    width: float
    bars: Sequence[Bar]
    ticks: Sequence[str]
    """Along the x axis, evenly spread."""
    levels: Sequence[str]
    """Along the y axis, from the top, evenly spread."""
    description: str
    table: Table
    series: Sequence[Series] = field(default_factory=tuple[Series, ...])
    """What the tones mean, where there are several."""


# --- what is coming


def timers_chart(by_hour: Sequence[int], now: datetime) -> Chart:
    start = now.replace(minute=0, second=0, microsecond=0)
    most = max(by_hour, default=0)
    hours = [(start + timedelta(hours=hour), number) for hour, number in enumerate(by_hour)]
    return Chart(
        width=len(by_hour) * STEP,
        bars=[
            _bar(hour * STEP, STEP, number / most, f"{at:%A %H:%M} UTC: {number}", "first")
            for hour, (at, number) in enumerate(hours)
            if number
        ],
        ticks=[
            f"{start + timedelta(hours=hour):%a %H:%M}"
            for hour in range(0, len(by_hour) + 1, TICK_EVERY_H)
        ],
        levels=[str(most), "0"] if most else [],
        description=f"Timers due in the next {len(by_hour)} hours: {sum(by_hour)}.",
        table=Table(
            ("Hour", "Timers"),
            [(f"{at:%a %d %b %H:%M} UTC", str(number)) for at, number in hours if number],
        ),
    )


# --- what has been


def throughput_chart(trends: Trends) -> Chart:
    total = trends.total
    return _counts_chart(
        trends,
        (
            (Series("opened", "first"), lambda figures: figures.opened),
            (Series("closed", "second"), lambda figures: figures.closed),
            (Series("closed by their timer", "third"), lambda figures: figures.ended.number),
        ),
        f"Tickets {_over(trends.span)}: {total.opened} opened, {total.closed} closed, "
        f"{total.ended.number} of them by their timer.",
    )


def failures_chart(trends: Trends) -> Chart:
    total = trends.total
    return _counts_chart(
        trends,
        (
            (Series("attempts that failed", "late"), lambda figures: figures.failures),
            (Series("calls for a person", "very-late"), lambda figures: figures.attention),
        ),
        f"Failures {_over(trends.span)}: {total.failures} attempts that failed, "
        f"{total.attention} calls for a person.",
    )


def lateness_chart(trends: Trends, of: Callable[[Figures], LatenessFigures]) -> Chart:
    """On a logarithmic scale that begins at 1 ms."""
    steps = [[of(step).percentile(percent) for percent in PERCENTILES] for step in trends.figures]
    most = max((late or 0 for step in steps for late in step), default=0)
    decades = max(FEWEST_DECADES, math.ceil(math.log10(max(most, 1))))
    series = (Series("p50: half of them", "first"), Series("p99: nearly all", "second"))
    bars = [
        _bar(
            place * STEP + number * STEP / 2,
            STEP / 2,
            math.log10(max(late, 1)) / decades,
            f"{series[number].name}, {_moment(step.start)}: {milliseconds(late)}",
            series[number].tone,
        )
        for place, (step, percentiles) in enumerate(zip(trends.figures, steps, strict=True))
        for number, late in enumerate(percentiles)
        if late is not None
    ]
    total = of(trends.total)
    p50, p99 = total.percentile(50), total.percentile(99)
    told = (
        f"p50 {milliseconds(p50)}, p99 {milliseconds(p99)} of {total.number}."
        if p50 is not None and p99 is not None
        else "nothing was timed."
    )
    return Chart(
        width=len(steps) * STEP,
        bars=bars,
        ticks=_ticks(trends),
        levels=[milliseconds(10**decade) for decade in range(decades, -1, -1)] if bars else [],
        description=f"Lateness {_over(trends.span)}: {told}",
        table=Table(
            ("From", "p50", "p99", "Timed closes"),
            [
                (
                    _moment(step.start),
                    *("–" if late is None else milliseconds(late) for late in percentiles),
                    str(of(step).number),
                )
                for step, percentiles in zip(trends.figures, steps, strict=True)
                if of(step).number
            ],
        ),
        series=series,
    )


def _counts_chart(
    trends: Trends,
    counted: Sequence[tuple[Series, Callable[[Figures], int]]],
    description: str,
) -> Chart:
    most = max((count(step) for step in trends.figures for _, count in counted), default=0)
    width = STEP / len(counted)
    bars = [
        _bar(
            place * STEP + number * width,
            width,
            count(step) / most,
            f"{count(step)} {series.name}, {_moment(step.start)}",
            series.tone,
        )
        for place, step in enumerate(trends.figures)
        for number, (series, count) in enumerate(counted)
        if count(step)
    ]
    return Chart(
        width=len(trends.figures) * STEP,
        bars=bars,
        ticks=_ticks(trends),
        levels=[str(most), "0"] if most else [],
        description=description,
        table=Table(
            ("From", *(series.name.capitalize() for series, _ in counted)),
            [
                (_moment(step.start), *(str(count(step)) for _, count in counted))
                for step in trends.figures
                if any(count(step) for _, count in counted)
            ],
        ),
        series=[series for series, _ in counted],
    )


def _over(span: Span) -> str:
    return {Span.DAY: "of 24 hours", Span.WEEK: "of 7 days", Span.MONTH: "of 30 days"}[span]


def _moment(start: datetime) -> str:
    return f"{start:%a %d %b %H:%M} UTC"


def _ticks(trends: Trends) -> list[str]:
    """Of the first step, of the middle, and now."""
    first, middle = trends.figures[0].start, trends.figures[len(trends.figures) // 2].start
    form = "%a %H:%M" if trends.span is Span.DAY else "%d %b"
    return [f"{first:{form}}", f"{middle:{form}}", "now"]


def _bar(x: float, width: float, share: float, title: str, tone: str) -> Bar:
    height = max(2.0, share * HEIGHT)
    gap = min(GAP, width / 4)
    return Bar(
        x=round(x + gap / 2, 2),
        y=round(HEIGHT - height, 2),
        width=round(width - gap, 2),
        height=round(height, 2),
        title=title,
        tone=tone,
    )
