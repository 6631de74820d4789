"""A call for a person: what keeps a ticket from closing."""

from __future__ import annotations

from cogs.buttons.retry import RetryButton
from cogs.cards.blocks import RED, Card
from cogs.text import DiscordStyle
from domains.formatting import reason_words
from domains.ticket_lifecycle.models import Ticket, TicketStatus
from locales import text


def attention_card(ticket: Ticket, mark: str, locale: str) -> Card:
    why = reason_words(ticket.attention or {}, DiscordStyle(locale))
    where = f"<#{ticket.channel_id}>" if ticket.channel_id else f"#{ticket.name}"
    is_closing = ticket.status is TicketStatus.CLOSING
    key = "attention.cannot_close" if is_closing else "attention.cannot_close_in_time"
    card = Card(RED)
    card.heading(text("attention.heading", locale, number=f"{ticket.number:04d}"))
    card.text(text(key, locale, where=where, why=why))
    card.text(text("attention.what_to_do", locale))
    card.actions(RetryButton(ticket.id, locale=locale))
    card.note(mark)
    return card
