"""The close request: the question, its reminder, and what became of it."""

from __future__ import annotations

from typing import Final

import discord

from cogs.buttons.close_request import close_request_buttons
from cogs.cards.blocks import AMBER, BLUE, GREEN, GREY, RED, Card
from cogs.language import opener
from cogs.text import DiscordStyle, escape, when
from domains.ticket_lifecycle.models import CloseRequest, RequestStatus, Ticket
from locales import text

COLOURS: Final = {
    RequestStatus.ACCEPTED: GREEN,
    RequestStatus.DENIED: BLUE,
    RequestStatus.ANSWERED: BLUE,
    RequestStatus.EXPIRED: RED,
    RequestStatus.WITHDRAWN: GREY,
    RequestStatus.SUPERSEDED: GREY,
    RequestStatus.CLOSED: GREY,
}
"""Green and red for what closes a ticket, blue for what keeps it open, grey for what is over
without an answer."""


def question_card(
    ticket: Ticket, request: CloseRequest, *, reply_keeps_open: bool, max_extensions: int
) -> Card:
    """The pending request: who asks, why, when the ticket closes, and what keeps it open."""
    locale = opener(ticket)
    card = Card(_colour_of_pending(ticket, request), above=f"<@{ticket.opener_id}>")
    card.heading(text("close_request.heading", locale))
    by = DiscordStyle(locale).user(request.requested_by_id)
    card.text(text("close_request.asks", locale, by=by))
    runs = request.auto_close_at is not None and not ticket.exclude_from_autoclose
    deadline = when(request.auto_close_at) if request.auto_close_at and runs else ""
    card.fields(
        [
            (text("close_request.reason", locale), escape(request.reason)),
            (text("close_request.closes", locale), deadline),
        ]
    )
    card.text(text(_what_happens(ticket, request, reply_keeps_open=reply_keeps_open), locale))
    card.actions(*close_request_buttons(request, locale, max_extensions=max_extensions))
    return card


def _colour_of_pending(ticket: Ticket, request: CloseRequest) -> discord.Colour:
    runs = request.auto_close_at is not None and not ticket.exclude_from_autoclose
    return AMBER if runs else BLUE


def _what_happens(ticket: Ticket, request: CloseRequest, *, reply_keeps_open: bool) -> str:
    if request.auto_close_at is None:
        return "close_request.no_timer"
    if ticket.exclude_from_autoclose:
        return "close_request.excluded"
    if reply_keeps_open:
        return "close_request.write_and_it_stays"
    return "close_request.press_a_button"


def outcome_card(ticket: Ticket, request: CloseRequest) -> Card:
    """What became of it, and who did it."""
    locale = opener(ticket)
    card = Card(COLOURS[request.status])
    card.heading(text(f"close_request.{request.status}", locale))
    by = DiscordStyle(locale).user(request.resolved_by_id)
    said = text(f"close_request.{request.status}_text", locale, by=by)
    card.text(said[:1].upper() + said[1:])
    card.fields([(text("close_request.reason", locale), escape(request.reason))])
    return card


def reminder_card(ticket: Ticket, request: CloseRequest, *, max_extensions: int) -> Card:
    """With the buttons of the request it is about, as long as that is pending."""
    locale = opener(ticket)
    is_pending = request.status is RequestStatus.PENDING
    card = Card(AMBER if is_pending else GREY, above=f"<@{ticket.opener_id}>")
    card.heading(text("close_request.still_there", locale))
    if not is_pending or request.auto_close_at is None:
        card.text(text("close_request.reminder_over", locale))
        return card
    if ticket.exclude_from_autoclose:
        card.text(text("close_request.excluded", locale))
    else:
        card.text(text("close_request.reminder", locale, when=when(request.auto_close_at)))
    card.actions(*close_request_buttons(request, locale, max_extensions=max_extensions))
    return card
