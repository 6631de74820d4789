"""Will this ticket close, when, and why (not)? For support, and for its opener, who is not shown
what keeps the bot from working."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from cogs.cards.blocks import AMBER, BLUE, GREY, RED, Card, Item
from cogs.text import DiscordStyle, escape, when
from cogs.ticket_history import FOR_THE_OPENER, history
from cogs.ticket_state import TicketState
from domains.formatting import timer_words
from domains.scheduled_task.timer import Timer
from domains.ticket_lifecycle.explanation import Outlook
from domains.ticket_lifecycle.models import RequestStatus
from domains.ticket_lifecycle.wording import outlook_words
from locales import text

LONGEST_SUBJECT: Final = 200
LONGEST_BLOCKER: Final = 250
MAX_TIMERS: Final = 10
COLOURS: Final = {
    Outlook.WILL_CLOSE: BLUE,
    Outlook.OVERDUE: AMBER,
    Outlook.BEING_READ: AMBER,
    Outlook.CLOSING: AMBER,
    Outlook.NEEDS_ATTENTION: RED,
}
OVER: Final = (Outlook.CLOSED, Outlook.NEEDS_ATTENTION)
"""What stands in the way is said already, or is not in the way any more."""
SAID_TO_THE_OPENER: Final = (
    Outlook.WILL_CLOSE,
    Outlook.BEING_READ,
    Outlook.BEING_ASKED,
    Outlook.NO_TIMER,
    Outlook.NEEDS_ATTENTION,
    Outlook.CLOSING,
    Outlook.CLOSED,
)


def status_card(
    state: TicketState,
    locale: str,
    *,
    for_support: bool,
    note: str = "",
    buttons: Sequence[Item] = (),
) -> Card:
    """`note` is what was just done about it."""
    style = DiscordStyle(locale)
    explanation = state.explanation
    card = Card(COLOURS.get(explanation.outlook, GREY))
    card.text(note)
    card.heading(f"#{state.ticket.name} · {escape(state.ticket.subject, LONGEST_SUBJECT)}")
    if for_support:
        card.text(f"**{outlook_words(explanation, style)}**")
        card.text("\n".join(_support_notes(state, locale)))
    else:
        card.text(f"**{_words_for_opener(state, style)}**")
    card.text("\n".join(_timer_lines(state.timers, style, for_support=for_support)))
    card.separator()
    events = [each for each in state.events if for_support or each.event in FOR_THE_OPENER]
    title = f"**{text('history.title', locale)}**\n"
    card.text(title + history(events, style, card.characters_left - len(title)))
    if buttons:
        card.actions(*buttons)
    return card


def _support_notes(state: TicketState, locale: str) -> Iterator[str]:
    if state.blockers and state.explanation.outlook not in OVER:
        blockers = [escape(blocker, LONGEST_BLOCKER) for blocker in state.blockers]
        yield "⚠️ " + text("status.blocked", locale, blockers=blockers)
    if state.redis_is_away:
        yield "⚠️ " + text("status.redis_away", locale)


def _timer_lines(
    timers: Sequence[Timer], style: DiscordStyle, *, for_support: bool
) -> Iterator[str]:
    for timer in timers[:MAX_TIMERS]:
        if not for_support and timer.kind == "send-reminder":
            what = text("status.you_are_reminded", style.locale)
        else:
            what = timer_words(timer.kind, style)
        yield f"{what}: {when(timer.due)}"


def _words_for_opener(state: TicketState, style: DiscordStyle) -> str:
    """In the second person, and without what went wrong inside."""
    explanation, locale = state.explanation, style.locale
    if explanation.outlook in SAID_TO_THE_OPENER:
        at = when(explanation.closes_at) if explanation.closes_at else ""
        by = style.user(explanation.user_id)
        said = text(f"status.you_{explanation.outlook.value}", locale, at=at, by=by)
        if explanation.outlook is not Outlook.WILL_CLOSE:
            return said
        how = "write" if state.reply_keeps_open else "press"
        grace = [text("outlook.in_grace", locale)] if explanation.in_grace else []
        return " ".join([said, text(f"status.you_{how}", locale), *grace])
    if explanation.request_status is RequestStatus.ANSWERED:
        return text("status.you_answered", locale)
    return outlook_words(explanation, style)
