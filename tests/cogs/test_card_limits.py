"""Whatever was typed, in every language, the cards of `/timers`, `/autoclose status` and `/doctor`
are such as Discord takes: at most 40 components and 4,000 characters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import discord
import pytest

from cogs.buttons.timers import DetailsButton, PageButton, RetryTimerButton, paging
from cogs.cards.findings import findings_card
from cogs.cards.ticket_status import status_card
from cogs.cards.timer_list import PAGE, TimerPage, TimerRow, timer_list_card
from cogs.findings import Finding, Severity
from cogs.ticket_state import TicketState
from domains.scheduled_task.timer import Timer
from domains.ticket_lifecycle.explanation import Explanation, Outlook
from domains.ticket_lifecycle.models import (
    RequestStatus,
    TicketEvent,
    TimedTicket,
)
from locales import LOCALES, Text

from . import hostile
from .hostile import NOW, assert_fits

HOSTILE = "*_`|@#[]()<>~" * 80
ID = 10**18 - 1
"""Of 18 digits, the most that our own buttons take."""
ATTENTION = {"code": "unexpected", "type": "Error", "text": HOSTILE}
TICKET = replace(hostile.TICKET, id=ID, number=ID, subject=HOSTILE, attention=ATTENTION)
REQUEST = replace(hostile.REQUEST, id=ID, reason=HOSTILE, grace_at=NOW, extensions=3)
TIMERS = [Timer(kind, ID, ID, ID, NOW, {}) for kind in ("send-reminder", "cleanup-old-tickets")]
EVENTS = [TicketEvent("retried", ID, NOW, 12_345, HOSTILE, {})] * 200


@pytest.mark.parametrize("locale", LOCALES)
async def test_a_full_page_of_timers_fits_with_every_row_whole(locale: str) -> None:
    rows = [TimerRow(TimedTicket(TICKET, REQUEST, True), f"<#{ID}>", TIMERS, [HOSTILE])] * PAGE
    page = TimerPage(rows, number=98, total=10**6, others=TIMERS * 3, now=NOW, redis_is_away=True)
    card = timer_list_card(
        page,
        locale,
        details=lambda ticket: DetailsButton(ticket.id, 98, locale=locale),
        paging=paging(locale, 98, page.pages),
    )
    assert_fits(card)
    sections = [part for part in card.walk_children() if isinstance(part, discord.ui.Section)]
    assert len(sections) == PAGE
    last: Any = card.children[-1]
    assert isinstance(last.children[-1], discord.ui.ActionRow)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("for_support", [True, False])
async def test_the_status_of_a_ticket_fits_with_its_buttons(locale: str, for_support: bool) -> None:
    for outlook in Outlook:
        explanation = Explanation(
            outlook,
            closes_at=NOW,
            user_id=ID,
            request_status=RequestStatus.ANSWERED,
            attention=ATTENTION,
        )
        state = TicketState(
            TICKET, explanation, EVENTS, TIMERS * 9, [HOSTILE] * 2, True, reply_keeps_open=True
        )
        card = status_card(
            state,
            locale,
            for_support=for_support,
            note="Done.",
            buttons=[RetryTimerButton(ID, 1, locale=locale), PageButton(1, locale=locale)],
        )
        assert_fits(card)


@pytest.mark.parametrize("locale", LOCALES)
async def test_however_much_is_found_what_needs_fixing_comes_first_and_all_severities_are_there(
    locale: str,
) -> None:
    said, remedy = Text("doctor.disk_full", {"problem": HOSTILE[:200]}), Text("doctor.make_room")
    findings = [Finding(severity, said, remedy) for severity in Severity for _ in range(30)]
    card = findings_card(findings, locale)
    assert_fits(card)
    texts = [part for part in card.walk_children() if isinstance(part, discord.ui.TextDisplay)]
    assert len(texts) == 1 + len(Severity)
