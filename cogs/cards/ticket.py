"""The first message of a ticket: what it is about, how it stands, and what can be done."""

from __future__ import annotations

import discord

from cogs.buttons.ticket import ticket_buttons
from cogs.cards.blocks import AMBER, BLUE, Card
from cogs.language import opener
from cogs.text import escape
from domains.ticket_lifecycle.models import CloseRequest, Ticket
from locales import text


def ticket_card(
    ticket: Ticket, request: CloseRequest | None, mark: str, *, has_support: bool, above: str = ""
) -> Card:
    """`request` is the pending one."""
    locale = opener(ticket)
    who = f"<@{ticket.opener_id}>"
    card = Card(BLUE if request is None else AMBER, above=above)
    card.heading(text("ticket.heading", locale, number=f"{ticket.number:04d}"))
    card.text(text("ticket.hello", locale, opener=who))
    if not has_support:
        card.text(text("ticket.no_support", locale))
    card.fields(
        [
            (text("ticket.subject", locale), escape(ticket.subject) or "—"),
            (text("ticket.opened_by", locale), who),
            (text("ticket.state", locale), state_words(ticket, request, locale)),
        ]
    )
    card.actions(*ticket_buttons(ticket.id, locale))
    card.note(mark)
    return card


def state_words(ticket: Ticket, request: CloseRequest | None, locale: str) -> str:
    who = f"<@{ticket.opener_id}>"
    if ticket.exclude_from_autoclose:
        key = "ticket.state_excluded" if request is None else "ticket.state_excluded_waiting"
        return text(key, locale, opener=who)
    if request is None:
        return text("ticket.state_open", locale)
    if request.auto_close_at is None:
        return text("ticket.state_waiting", locale, opener=who)
    when = discord.utils.format_dt(request.auto_close_at, "R")
    return text("ticket.state_closes", locale, when=when, opener=who)
