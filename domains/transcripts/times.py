"""Moments and durations as people read them. A record is read in many time zones: all is UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M}"


def day(moment: datetime) -> str:
    utc = moment.astimezone(UTC)
    return f"{utc:%A}, {utc.day} {utc:%B} {utc.year}"


def full(moment: datetime) -> str:
    utc = moment.astimezone(UTC)
    return f"{utc.day} {utc:%B} {utc.year}, {utc:%H:%M} UTC"


def machine(moment: datetime) -> str:
    """For `<time datetime>`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def discord_timestamp(epoch: int, style: str) -> str | None:
    """What `<t:EPOCH:STYLE>` says, or None when no calendar has that moment."""
    try:
        moment = EPOCH + timedelta(seconds=epoch)
    except OverflowError:
        return None
    date = f"{moment.day} {moment:%B} {moment.year}"
    texts = {
        "t": f"{moment:%H:%M} UTC",
        "T": f"{moment:%H:%M:%S} UTC",
        "d": date,
        "D": date,
        "F": f"{moment:%A}, {date}, {moment:%H:%M} UTC",
    }
    # "R" counts from the reader's now, which means nothing in a record.
    return texts.get(style, f"{date}, {moment:%H:%M} UTC")


def duration(span: timedelta) -> str:
    """The two largest units: `2 d 3 h`, `12 min`."""
    seconds = max(0, int(span.total_seconds()))
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min")]
    while len(parts) > 1 and not parts[0][0]:
        del parts[0]
    said = [f"{count} {unit}" for count, unit in parts[:2] if count]
    return " ".join(said) or "less than a minute"
