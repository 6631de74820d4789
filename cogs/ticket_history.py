"""What has happened to a ticket so far, and what is going to."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from cogs.text import DiscordStyle, shorten, when
from domains.formatting import event_details, event_words
from domains.formatting import timer_words as kind_words
from domains.scheduled_task.timer import Timer
from domains.ticket_lifecycle.models import TicketEvent
from locales import DEFAULT_LOCALE

EMBED_LIMIT = 6000
FIELD_LIMIT = 1024
RESERVE = 100
"""For the names of the fields, and the line that counts what is left out."""


def add_history(embed: discord.Embed, events: Sequence[TicketEvent]) -> None:
    """All events, a line each, over as many fields as they take. What is more than an embed
    holds is counted: the oldest."""
    lines = _newest(events, EMBED_LIMIT - len(embed) - RESERVE)
    if left_out := len(events) - len(lines):
        noun = "event" if left_out == 1 else "events"
        lines.insert(0, f"… and {left_out} earlier {noun}")
    name = "History"
    for value in _fields(lines or ["Nothing yet."]):
        embed.add_field(name=name, value=value, inline=False)
        name = "\N{ZERO WIDTH SPACE}"


def _newest(events: Sequence[TicketEvent], room: int) -> list[str]:
    lines: list[str] = []
    for event in reversed(events):
        line = _line(event)
        room -= len(line) + 1
        if room < 0:
            break
        lines.append(line)
    return lines[::-1]


def _fields(lines: Sequence[str]) -> list[str]:
    fields = [""]
    for line in lines:
        joined = f"{fields[-1]}\n{line}".lstrip("\n")
        if len(joined) <= FIELD_LIMIT:
            fields[-1] = joined
        else:
            fields.append(line)
    return fields


def _line(event: TicketEvent) -> str:
    words = event_words(
        event.event, DiscordStyle(DEFAULT_LOCALE).user(event.actor_id), DiscordStyle(DEFAULT_LOCALE)
    )
    late = f", {event.late_ms / 1000:.1f} s after the deadline" if event.late_ms else ""
    details = event_details(event.params, event.detail, DiscordStyle(DEFAULT_LOCALE))
    detail = f" ({shorten(details, 120)})" if details else ""
    return f"{discord.utils.format_dt(event.at, 'f')} · {words}{late}{detail}"


def timer_words(timer: Timer) -> str:
    """A timer beside the close itself."""
    return f"{kind_words(timer.kind, DiscordStyle(DEFAULT_LOCALE))}: {when(timer.due)}"
