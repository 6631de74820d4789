"""Rows that hold the longest of everything, and what Discord takes of a card made of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import discord

from cogs.cards.blocks import MAX_CHARACTERS, MAX_COMPONENTS, Card
from domains.ticket_lifecycle.models import CloseRequest, RequestStatus, Ticket, TicketStatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LONG = "@*_`~|<>[]#\\" * 500
ID = 2**63 - 1
TICKET = Ticket(
    id=ID,
    guild_id=ID,
    number=10**9,
    channel_id=ID,
    opener_id=ID,
    subject=LONG,
    status=TicketStatus.OPEN,
    exclude_from_autoclose=False,
    claimed_by_id=None,
    opened_at=NOW - timedelta(days=10_000, seconds=1),
    closed_at=None,
    closed_by_id=ID,
    close_reason=LONG,
    attention={"code": "keeps_failing", "step": "ask", "error": {"code": "x", "text": LONG}},
    close_cause=None,
    token="t",  # no secret
    opener_locale=None,
    card_message_id=None,
)
REQUEST = CloseRequest(
    id=ID,
    ticket_id=ID,
    requested_by_id=ID,
    reason=LONG,
    auto_close_at=NOW,
    status=RequestStatus.PENDING,
    requested_at=NOW,
    message_id=ID,
    resolved_at=None,
    resolved_by_id=ID,
    grace_at=None,
    extensions=0,
    read_at=None,
    extended_by_id=ID,
    extension_message_id=ID,
    reminder_message_id=ID,
)


def assert_fits(card: Card) -> None:
    components = list(card.walk_children())
    assert len(components) <= MAX_COMPONENTS
    assert card.content_length() <= MAX_CHARACTERS
    labels = [each.label for each in components if isinstance(each, discord.ui.Button)]
    assert all(label and len(label) <= 80 for label in labels)
    texts = [each for each in components if isinstance(each, discord.ui.TextDisplay)]
    assert all(text.content for text in texts), "Discord takes no empty one"
    assert card.is_finished(), "discord.py would keep it in memory"
