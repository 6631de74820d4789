"""Why a ticket will or won't close by itself, and what has happened to it so far."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import discord

from cogs.text import escape, shorten, when, who
from domains.ticket_lifecycle.models import (
    MAX_CLOSE_ATTEMPTS,
    CloseRequest,
    RequestStatus,
    Ticket,
    TicketEvent,
    TicketStatus,
)

EMBED_LIMIT = 6000
FIELD_LIMIT = 1024
RESERVE = 100
"""For the names of the fields, and the line that counts what is left out."""

_NOT_PENDING = {
    RequestStatus.DENIED: "the last close request was denied by {by}",
    RequestStatus.WITHDRAWN: "the last close request was withdrawn by {by}",
    RequestStatus.ANSWERED: "the opener answered the last close request",
}

_WORDS = {
    "opened": "opened by {by}",
    "close_requested": "{by} asked to close it",
    "could_not_ask": "the opener could not be asked; taken back",
    "accepted": "{by} accepted",
    "denied": "{by} denied",
    "withdrawn": "{by} withdrew the request",
    "answered": "the opener wrote: the timer is off",
    "expired": "time is up",
    "extended": "{by} asked for more time",
    "grace": "a grace was given",
    "excluded": "excluded by {by}",
    "included": "included again by {by}",
    "closing": "{by} closes it",
    "close_failed": "an attempt to close it failed",
    "attention": "needs attention",
    "retried": "tried again",
    "closed": "closed",
}


def why_or_why_not(
    ticket: Ticket,
    request: CloseRequest | None,
    events: Sequence[TicketEvent],
    blocker: str | None,
    now: datetime,
) -> str:
    """`blocker` is what the bot may not do at this moment, but would have to."""
    if ticket.attention:
        return f"It needs attention: {escape(ticket.attention)}."
    if ticket.status is TicketStatus.CLOSING and ticket.close_retry_at:
        return (
            f"It is closing; attempts that failed: {ticket.close_failures} of "
            f"{MAX_CLOSE_ATTEMPTS}. The next is due {when(ticket.close_retry_at)}."
        )
    if ticket.status is not TicketStatus.OPEN:
        return f"This ticket is {ticket.status.value}."
    why_not = _why_not(ticket, request, events)
    if why_not is not None:
        return f"It will not close by itself: {why_not}."
    assert request is not None
    text = _when(request, now)
    if blocker is not None:
        text += f"\nUnless it is mended, the close will need a person: {escape(blocker)}."
    return text


def _when(request: CloseRequest, now: datetime) -> str:
    assert request.auto_close_at is not None
    if not request.announced:
        return "Its time does not run yet: Discord failed so far to ask the opener."
    if request.auto_close_at <= now:
        return f"Its time was up {when(request.auto_close_at)}, and it is being taken up."
    return (
        f"It closes {when(request.auto_close_at)}, as <@{request.requested_by_id}> asked, "
        "unless the opener answers."
    )


def _why_not(
    ticket: Ticket, request: CloseRequest | None, events: Sequence[TicketEvent]
) -> str | None:
    if ticket.exclude_from_autoclose:
        excluded = next((event for event in reversed(events) if event.event == "excluded"), None)
        by = f" by {who(excluded.actor_id)}" if excluded else ""
        return f"it is excluded from auto-close{by}"
    if request is None:
        return "nobody has asked to close it"
    if request.status is not RequestStatus.PENDING:
        why = _NOT_PENDING.get(request.status, "no close request is pending")
        return why.format(by=who(request.resolved_by_id))
    return None if request.auto_close_at else "the pending close request has no timer"


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
    words = _WORDS.get(event.event, event.event).format(by=who(event.actor_id))
    late = f", {event.late_ms / 1000:.1f} s after the deadline" if event.late_ms else ""
    detail = f" ({shorten(escape(event.detail), 120)})" if event.detail else ""
    return f"{discord.utils.format_dt(event.at, 'f')} · {words}{late}{detail}"
