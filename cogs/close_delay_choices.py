"""What is offered while somebody types a `close_delay`: in words, and with the moment it means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from babel.dates import format_datetime
from discord.app_commands import Choice

from domains.ticket_lifecycle.close_delay import MAX_CLOSE_DELAY, parse_close_delay
from domains.ticket_lifecycle.errors import InvalidDelayError
from locales import text

SUGGESTIONS: Final = ("0", "1h", "24h", "3d", "7d")
MAX_LENGTH: Final = 100
"""Of a choice, as Discord has it."""
_HOURS: Final = re.compile(r"(\d+)\s*(?:h|hrs?|hours?|std\.?|stunden?)?", re.ASCII)
"""What is typed in hours is said in hours: `30` is not `1 day 6 hours`."""


def close_delay_choices(
    typed: str, shortest: timedelta, now: datetime, locale: str
) -> list[Choice[str]]:
    """What is typed, or some that are often wanted. What isn't possible is offered as the sentence
    that says why, and choosing it changes nothing."""
    typed = typed.strip()
    if not typed:
        return _choices(SUGGESTIONS, shortest, now, locale)
    choices = _choices([typed[:MAX_LENGTH]], shortest, now, locale)
    return choices or [_why_not(typed, shortest, locale)]


def _choices(
    delays: Sequence[str], shortest: timedelta, now: datetime, locale: str
) -> list[Choice[str]]:
    choices: list[Choice[str]] = []
    for value in delays:
        try:
            delay = parse_close_delay(value, shortest)
        except InvalidDelayError:
            continue
        choices.append(Choice(name=_words(value, delay, now, locale), value=value))
    return choices


def _words(typed: str, delay: timedelta | None, now: datetime, locale: str) -> str:
    if delay is None:
        return text("closing.delay_none", locale)
    hours = _HOURS.fullmatch(typed.lower())
    words = text("durations.hour", locale, count=int(hours[1])) if hours else delay
    at = format_datetime(now + delay, "EEE d MMM HH:mm", locale=locale)
    return text("closing.delay", locale, delay=words, at=f"{at} UTC")


def _why_not(typed: str, shortest: timedelta, locale: str) -> Choice[str]:
    words = text("closing.delay_invalid", locale, least=shortest, most=MAX_CLOSE_DELAY)
    return Choice(name=words[:MAX_LENGTH], value=typed[:MAX_LENGTH])
