"""Numbers and times in the words of the pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from domains.formatting import short_duration


def relative(moment: datetime, now: datetime) -> str:
    """`in 3 h 12 min`, `5 s ago`."""
    return (
        f"in {short_duration(moment - now)}"
        if moment > now
        else f"{short_duration(now - moment)} ago"
    )


def number(value: int) -> str:
    """In groups of three, with a space that does not break."""
    return f"{value:,}".replace(",", "\N{NO-BREAK SPACE}")


def percent(part: int, whole: int) -> str:
    """`99.98 %`: never rounded up to what is not true."""
    hundredths = part * 10_000 // whole
    return f"{hundredths / 100:g}\N{NO-BREAK SPACE}%"


def as_json(payload: Mapping[str, object]) -> str:
    return json.dumps(payload, indent=2, ensure_ascii=False, default=str)
