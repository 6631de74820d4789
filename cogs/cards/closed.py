"""The end of a ticket: what the log channel keeps of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import discord

from cogs.cards.blocks import RED, Card
from cogs.cards.conversation import Answer, Conversation
from cogs.text import DiscordStyle, escape
from cogs.transcript_upload import Upload
from domains.formatting import milliseconds, short_duration
from domains.ticket_lifecycle.channels import CloseFacts
from domains.ticket_lifecycle.models import CloseCause, Ticket
from domains.transcripts import SavedTranscript
from locales import text

MAX_NAMED: Final = 10
"""Participants; the others are counted."""


def log_card(
    ticket: Ticket,
    facts: CloseFacts,
    mark: str,
    locale: str,
    *,
    transcript: SavedTranscript | None,
    conversation: Conversation,
    upload: Upload,
) -> Card:
    card = Card(RED)
    card.heading(text("closed.log_heading", locale, number=f"{ticket.number:04d}"))
    card.fields(
        [
            (text("closed.subject", locale), escape(ticket.subject)),
            (text("closed.opened_by", locale), _at(f"<@{ticket.opener_id}>", ticket.opened_at)),
            (text("closed.closed", locale), _closed(ticket, facts, locale)),
            (text("closed.reason", locale), escape(ticket.close_reason)),
            (text("closed.on_time", locale), _late(facts, locale)),
        ]
    )
    card.separator()
    card.fields(
        [
            (text("closed.open_for", locale), open_for(ticket, facts, locale)),
            (text("closed.first_answer", locale), _first_answer(conversation.answer, locale)),
            (text("closed.participants", locale), _participants(conversation, locale)),
            (text("closed.transcript", locale), _transcript(transcript, upload, locale)),
        ]
    )
    card.files(upload.files)
    card.note(mark)
    return card


def _at(who: str, moment: datetime | None) -> str:
    return who if moment is None else f"{who}, {discord.utils.format_dt(moment, 'f')}"


def _closed(ticket: Ticket, facts: CloseFacts, locale: str) -> str:
    style = DiscordStyle(locale)
    cause = ticket.close_cause or CloseCause.COMMAND
    words = text(
        f"closed.{cause}",
        locale,
        by=style.user(ticket.closed_by_id),
        asker=style.user(facts.asked_by_id),
        opener=f"<@{ticket.opener_id}>",
    )
    return _at(words, facts.decided_at)


def _late(facts: CloseFacts, locale: str) -> str:
    if facts.late_ms is None:
        return ""
    return text("closed.late", locale, span=milliseconds(facts.late_ms, locale))


def open_for(ticket: Ticket, facts: CloseFacts, locale: str) -> str:
    if facts.decided_at is None:
        return ""
    return short_duration(facts.decided_at - ticket.opened_at, locale)


def _first_answer(answer: Answer | None, locale: str) -> str:
    if answer is None:
        return text("closed.no_answer", locale)
    span = short_duration(max(answer.after, timedelta(seconds=1)), locale)
    return text("closed.first_answer_after", locale, span=span, by=f"<@{answer.by_id}>")


def _participants(conversation: Conversation, locale: str) -> str:
    named = [
        text("closed.wrote", locale, who=f"<@{user_id}>", count=count)
        for user_id, count in conversation.counts[:MAX_NAMED]
    ]
    if (more := len(conversation.counts) - MAX_NAMED) > 0:
        named.append(text("closed.more_participants", locale, count=more))
    return ", ".join(named)


def _transcript(transcript: SavedTranscript | None, upload: Upload, locale: str) -> str:
    if transcript is None:
        return text("closed.no_transcript", locale)
    counted = [text("closed.messages", locale, count=transcript.message_count)]
    if transcript.attachments:
        counted.append(text("closed.attachments", locale, count=len(transcript.attachments)))
    if transcript.missed:
        counted.append(text("closed.missed", locale, count=len(transcript.missed)))
    return "\n".join([", ".join(counted), *(note.in_locale(locale) for note in upload.notes)])
