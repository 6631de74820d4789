"""What has happened to a ticket so far, a line each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import discord

from cogs.text import shorten
from domains.formatting import Style, event_details, event_words, milliseconds
from domains.ticket_lifecycle.models import TicketEvent
from locales import text

LONGEST_DETAIL: Final = 120
FOR_THE_OPENER: Final = frozenset(
    """
    opened close_requested accepted denied withdrawn answered expired extended grace reminded
    excluded included closing closed
    """.split()  # noqa: SIM905
)
"""Attempts that failed, and what a person is needed for, are support's business."""


def history(events: Sequence[TicketEvent], style: Style, room: int) -> str:
    """The newest events, oldest first, as far as there is room; what is left out is counted."""
    if not events:
        return text("history.nothing", style.locale)
    reserve = len(text("history.earlier", style.locale, count=len(events))) + 1
    lines = _newest([_line(event, style) for event in events], room - reserve)
    if left_out := len(events) - len(lines):
        lines.insert(0, text("history.earlier", style.locale, count=left_out))
    return "\n".join(lines)


def _newest(lines: Sequence[str], room: int) -> list[str]:
    kept: list[str] = []
    for line in reversed(lines):
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return kept[::-1]


def _line(event: TicketEvent, style: Style) -> str:
    said = event_words(event.event, style.user(event.actor_id), style)
    if event.late_ms:
        late = milliseconds(event.late_ms, style.locale)
        said = text("history.late", style.locale, event=said, late=late)
    details = event_details(event.params, event.detail, style)
    detail = f" ({shorten(details, LONGEST_DETAIL)})" if details else ""
    return f"{discord.utils.format_dt(event.at, 'f')} · {said}{detail}"
