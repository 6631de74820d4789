"""`/timers`: a page of tickets, those that need a person first, then what closes soonest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import discord

from cogs.cards.blocks import AMBER, BLUE, GREEN, RED, Card, Item
from cogs.text import DiscordStyle, escape, shorten
from domains.formatting import reason_words, timer_words
from domains.scheduled_task.timer import Timer
from domains.ticket_lifecycle.models import CloseRequest, Ticket, TimedTicket
from locales import text

PAGE: Final = 8
"""As many rows as a message has components for."""
LONGEST_LINE: Final = 170
LONGEST_SUBJECT: Final = 70
LONGEST_ROW: Final = 430
"""So that all rows of a page, and what stands around them, fit into a message."""
MAX_OTHERS: Final = 3


@dataclass(frozen=True, slots=True)
class TimerRow:
    timed: TimedTicket
    mention: str | None
    """Of its channel, if that is there."""
    timers: Sequence[Timer]
    """Beside the close itself."""
    blockers: Sequence[str]


@dataclass(frozen=True, slots=True)
class TimerPage:
    rows: Sequence[TimerRow]
    number: int
    """From 0 on."""
    total: int
    """How many tickets there are on all pages."""
    others: Sequence[Timer]
    """The soonest of those that no ticket has."""
    now: datetime
    redis_is_away: bool

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


def timer_list_card(
    page: TimerPage,
    locale: str,
    *,
    details: Callable[[Ticket], Item],
    paging: Sequence[Item] = (),
) -> Card:
    """`details` makes the button of a row."""
    card = Card(_colour(page))
    card.heading(text("timers.title", locale, count=page.total))
    if not page.rows:
        card.text(text("timers.none", locale))
    if page.redis_is_away:
        card.text("⚠️ " + text("timers.redis_away", locale))
    style = DiscordStyle(locale)
    for place, row in enumerate(page.rows):
        if place:
            card.separator()
        lines = "\n".join(_lines(row, page, style))
        card.section(shorten(lines, LONGEST_ROW), details(row.timed.ticket))
    card.text("\n".join(f"-# {_timer(timer, style)}" for timer in page.others[:MAX_OTHERS]))
    if page.pages > 1:
        card.note(text("timers.page", locale, number=page.number + 1, pages=page.pages))
    if paging:
        card.actions(*paging)
    return card


def _colour(page: TimerPage) -> discord.Colour:
    if any(row.timed.ticket.attention for row in page.rows):
        return RED
    if page.redis_is_away or any(row.blockers for row in page.rows):
        return AMBER
    return BLUE if page.rows else GREEN


def _lines(row: TimerRow, page: TimerPage, style: DiscordStyle) -> Iterator[str]:
    ticket, request = row.timed.ticket, row.timed.request
    subject = escape(ticket.subject, LONGEST_SUBJECT)
    yield f"{row.mention or f'**#{ticket.name}**'} · {subject}"
    if ticket.attention:
        why = shorten(reason_words(ticket.attention, style), LONGEST_LINE)
        yield "⚠️ " + text("timers.needs_attention", style.locale, why=why)
    if request is not None and request.auto_close_at is not None:
        yield _deadline(row.timed, request, request.auto_close_at, page, style)
        if row.blockers and not ticket.attention:
            blockers = escape(", ".join(row.blockers), LONGEST_LINE)
            yield "⚠️ " + text("timers.blocked", style.locale, blockers=blockers)
    for timer in row.timers[:1]:
        yield f"-# {_timer(timer, style)}"


def _deadline(
    timed: TimedTicket,
    request: CloseRequest,
    at: datetime,
    page: TimerPage,
    style: DiscordStyle,
) -> str:
    key = "closes"
    if timed.ticket.exclude_from_autoclose:
        key = "excluded"
    elif not timed.is_told:
        key = "not_told"
    elif at <= page.now:
        key = "overdue"
    elif request.grace_at is not None:
        key = "in_grace"
    return text(f"timers.{key}", style.locale, at=_when(at), by=style.user(request.requested_by_id))


def _timer(timer: Timer, style: DiscordStyle) -> str:
    return f"{timer_words(timer.kind, style)}: {_when(timer.due)}"


def _when(moment: datetime) -> str:
    """Shorter than elsewhere: the day of the week is left out."""
    return f"{discord.utils.format_dt(moment, 'f')} ({discord.utils.format_dt(moment, 'R')})"
