"""Numbers and times in the words of the pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def milliseconds(number: float) -> str:
    """`4 ms`, `1.2 s`, `3 min 20 s`."""
    if number < 1_000:
        return f"{number:.0f} ms"
    if number < 60_000:
        return f"{number / 1_000:.3g} s"
    return span(timedelta(milliseconds=number))


def span(time: timedelta) -> str:
    """The two largest units: `3 h 12 min`."""
    rest = int(abs(time.total_seconds()))
    parts: list[str] = []
    for unit, seconds in _UNITS:
        count, rest = divmod(rest, seconds)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"


def relative(moment: datetime, now: datetime) -> str:
    """`in 3 h 12 min`, `5 s ago`."""
    return f"in {span(moment - now)}" if moment > now else f"{span(now - moment)} ago"


def number(value: int) -> str:
    """In groups of three, with a space that does not break."""
    return f"{value:,}".replace(",", "\N{NO-BREAK SPACE}")


def as_json(payload: Mapping[str, object]) -> str:
    return json.dumps(payload, indent=2, ensure_ascii=False, default=str)


EVENTS = {
    "opened": "Opened",
    "close_requested": "Asked to close",
    "could_not_ask": "The opener could not be asked; taken back",
    "accepted": "Accepted",
    "denied": "Denied",
    "withdrawn": "Withdrawn",
    "answered": "The opener wrote: the timer is off",
    "expired": "Time is up",
    "extended": "More time",
    "grace": "A grace was given",
    "excluded": "Excluded from auto-close",
    "included": "Included in auto-close again",
    "closing": "Closing",
    "close_failed": "An attempt to close it failed",
    "attention": "Needs attention",
    "retried": "Tried again",
    "closed": "Closed",
}


def event(name: str) -> str:
    return EVENTS.get(name, name)


def who(actor_id: int | None) -> str:
    """0 is an operator, who has no Discord account."""
    if actor_id is None:
        return "the bot"
    return f"user {actor_id}" if actor_id else "an operator"
