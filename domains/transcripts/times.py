"""Moments, durations and sizes as people read them. A record is read in many time zones: all is
UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from babel.dates import format_date
from babel.numbers import format_decimal

from locales import DEFAULT_LOCALE, duration

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BINARY_UNITS = ("KiB", "MiB", "GiB")


def clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M}"


def day(moment: datetime, locale: str = DEFAULT_LOCALE) -> str:
    """`Wednesday, 26 August 2026`."""
    return _weekday_and_date(moment.astimezone(UTC).date(), locale)


def full(moment: datetime, locale: str = DEFAULT_LOCALE) -> str:
    """`26 August 2026, 18:04 UTC`."""
    return f"{_date(moment.astimezone(UTC).date(), locale)}, {clock(moment)} UTC"


def edited(moment: datetime, sent_at: datetime, locale: str = DEFAULT_LOCALE) -> str:
    """When a message was edited, with its day where that is another one."""
    same_day = moment.astimezone(UTC).date() == sent_at.astimezone(UTC).date()
    return clock(moment) if same_day else full(moment, locale)


def machine(moment: datetime) -> str:
    """For `<time datetime>`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def discord_timestamp(epoch: int, style: str, locale: str = DEFAULT_LOCALE) -> str | None:
    """What `<t:EPOCH:STYLE>` says, or None when no calendar has that moment."""
    try:
        moment = EPOCH + timedelta(seconds=epoch)
    except OverflowError:
        return None
    match style:
        case "t":
            return f"{moment:%H:%M} UTC"
        case "T":
            return f"{moment:%H:%M:%S} UTC"
        case "d" | "D":
            return _date(moment.date(), locale)
        case "F":
            return f"{_weekday_and_date(moment.date(), locale)}, {moment:%H:%M} UTC"
        case _:
            # "R" counts from the reader's now, which means nothing in a record.
            return full(moment, locale)


def span(length: timedelta, locale: str = DEFAULT_LOCALE) -> str:
    """In its two largest units: `2 days 3 hours`, `12 minutes`."""
    seconds = max(0, int(length.total_seconds()))
    largest = next((unit for unit in (86_400, 3_600, 60) if seconds >= unit), 1)
    smallest = {86_400: 3_600, 3_600: 60}.get(largest, largest)
    return duration(timedelta(seconds=seconds - seconds % smallest), locale)


def lateness(late_ms: int, locale: str = DEFAULT_LOCALE) -> str:
    """`12 ms`, `1.2 s`, `3 minutes`."""
    if late_ms < 1_000:
        return f"{late_ms} ms"
    if late_ms < 60_000:
        return f"{format_decimal(late_ms / 1_000, '0.#', locale=locale)} s"
    return span(timedelta(milliseconds=late_ms), locale)


def size(size_bytes: int, locale: str = DEFAULT_LOCALE) -> str:
    """`5 Bytes`, `2.0 KiB`."""
    if size_bytes < 1_024:
        return "1 Byte" if size_bytes == 1 else f"{size_bytes} Bytes"
    unit = min((size_bytes.bit_length() - 1) // 10, len(BINARY_UNITS))
    number = format_decimal(size_bytes / 1_024**unit, "0.0", locale=locale)
    return f"{number} {BINARY_UNITS[unit - 1]}"


@lru_cache(maxsize=1_000)
def _date(of: date, locale: str) -> str:
    """`26 August 2026`, in German `26. August 2026`."""
    return format_date(of, "long", locale=_region(locale))


@lru_cache(maxsize=1_000)
def _weekday_and_date(of: date, locale: str) -> str:
    return format_date(of, "full", locale=_region(locale))


def _region(locale: str) -> str:
    """`26 August` rather than `August 26`: a record is read all over the world."""
    return "en_GB" if locale == "en" else locale
