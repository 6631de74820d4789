"""Why a ticket will or won't close by itself, and what has happened to it so far."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from cogs.text import plain, shorten, when
from domains.ticket_lifecycle.models import (
    MOST_FAILURES,
    CloseRequest,
    RequestStatus,
    Ticket,
    TicketEvent,
    TicketStatus,
)

FIELD_LIMIT = 1024
SHOWN = 15

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
    ticket: Ticket, request: CloseRequest | None, events: Sequence[TicketEvent]
) -> str:
    if ticket.attention:
        return f"It needs attention: {plain(ticket.attention)}."
    if ticket.status is TicketStatus.CLOSING and ticket.close_retry_at:
        return (
            f"It is closing; attempts that failed: {ticket.close_failures} of {MOST_FAILURES}. "
            f"The next is due {when(ticket.close_retry_at)}."
        )
    if ticket.status is not TicketStatus.OPEN:
        return f"This ticket is {ticket.status.value}."
    why_not = _why_not(ticket, request, events)
    if why_not is not None:
        return f"It will not close by itself: {why_not}."
    assert request is not None
    assert request.auto_close_at is not None
    return (
        f"It closes {when(request.auto_close_at)}, as <@{request.requested_by_id}> asked, "
        "unless the opener answers."
    )


def _why_not(
    ticket: Ticket, request: CloseRequest | None, events: Sequence[TicketEvent]
) -> str | None:
    if ticket.exclude_from_autoclose:
        excluded = next((event for event in reversed(events) if event.event == "excluded"), None)
        by = f" by {_who(excluded.actor_id)}" if excluded else ""
        return f"it is excluded from auto-close{by}"
    if request is None:
        return "nobody has asked to close it"
    if request.status is not RequestStatus.PENDING:
        why = _NOT_PENDING.get(request.status, "no close request is pending")
        return why.format(by=_who(request.resolved_by_id))
    return None if request.auto_close_at else "the pending close request has no timer"


def history(events: Sequence[TicketEvent]) -> str:
    """The last events, a line each, within what an embed's field takes."""
    lines = [_line(event) for event in events[-SHOWN:]]
    while len("\n".join(lines)) > FIELD_LIMIT:
        lines.pop(0)
    return "\n".join(lines)


def _line(event: TicketEvent) -> str:
    words = _WORDS.get(event.event, event.event).format(by=_who(event.actor_id))
    late = f", {event.late_ms / 1000:.1f} s after the deadline" if event.late_ms else ""
    detail = f" ({shorten(plain(event.detail), 120)})" if event.detail else ""
    return f"{discord.utils.format_dt(event.at, 'f')} · {words}{late}{detail}"


def _who(user_id: int | None) -> str:
    return f"<@{user_id}>" if user_id else "the bot"
