"""Whatever somebody typed, in each language: every card can be sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import discord
import pytest

from cogs.cards.attention import attention_card
from cogs.cards.blocks import MAX_CHARACTERS, Card
from cogs.cards.close_request import outcome_card, question_card, reminder_card
from cogs.cards.closed import log_card
from cogs.cards.conversation import Conversation, conversation_of
from cogs.cards.farewell import farewell_card
from cogs.cards.panel import panel_card
from cogs.cards.ticket import ticket_card
from cogs.transcript_upload import MAX_UPLOAD_FILES, Upload
from domains.ticket_lifecycle.channels import CloseFacts
from domains.ticket_lifecycle.models import (
    CloseCause,
    RequestStatus,
    TicketStatus,
)
from domains.transcripts import MissedAttachment, SavedAttachment, SavedTranscript
from locales import LOCALES, Text

from .hostile import ID, LONG, NOW, REQUEST, TICKET, assert_fits

MARK = f"Ref {'x' * 8}-{'y' * 16}"
FACTS = CloseFacts(decided_at=NOW, asked_by_id=ID, late_ms=10**12, is_shareable=True)
TRANSCRIPT = SavedTranscript(
    Path("index.html"),
    10**9,
    tuple(SavedAttachment(Path("x"), LONG, 1) for _ in range(50)),
    tuple(MissedAttachment(LONG, 1, LONG) for _ in range(50)),
)
CROWD = Conversation([(ID - n, 10**6) for n in range(100)])


def upload() -> Upload:
    files = [discord.File(BytesIO(b"x"), f"{n}.bin") for n in range(MAX_UPLOAD_FILES)]
    place = Text("closed.place", {"directory": "/".join(["9" * 20] * 3)})
    notes = [Text("closed.compressed"), Text("closed.not_posted", {"count": 999, "place": place})]
    return Upload(files, 999, notes)


def cards(locale: str) -> Iterator[Card]:
    ticket = replace(TICKET, opener_locale=locale)
    yield panel_card("#" * 256, LONG[:4000], locale)
    yield panel_card(None, None, locale)
    for excluded in (False, True):
        for request in (None, REQUEST, replace(REQUEST, auto_close_at=None)):
            mentions = " ".join([f"<@&{ID}>"] * 25)
            each = replace(ticket, exclude_from_autoclose=excluded)
            yield ticket_card(each, request, MARK, has_support=False, above=mentions)
            if request is not None:
                yield question_card(each, request, reply_keeps_open=excluded, max_extensions=9)
                yield reminder_card(each, request, max_extensions=9)
    for status in set(RequestStatus) - {RequestStatus.PENDING}:
        yield outcome_card(ticket, replace(REQUEST, status=status))
        yield reminder_card(ticket, replace(REQUEST, status=status), max_extensions=9)
    for cause in (None, *CloseCause):
        each = replace(ticket, close_cause=cause)
        yield farewell_card(each, FACTS, MARK, server=LONG, closed_by=LONG, upload=upload())
        for transcript in (None, TRANSCRIPT):
            yield log_card(
                each,
                FACTS,
                MARK,
                locale,
                transcript=transcript,
                conversation=CROWD,
                upload=upload(),
            )
    for status in TicketStatus:
        yield attention_card(replace(ticket, status=status), MARK, locale)


@pytest.mark.parametrize("locale", LOCALES)
async def test_every_card_fits_whatever_was_typed(locale: str) -> None:
    for card in cards(locale):
        assert_fits(card)


async def test_the_last_line_of_a_long_card_is_still_there() -> None:
    for card in cards("en"):
        texts = [each for each in card.walk_children() if isinstance(each, discord.ui.TextDisplay)]
        assert not texts[-1].content.startswith("-# ") or texts[-1].content == f"-# {MARK}"


async def test_a_text_that_does_not_fit_is_shortened_and_nothing_is_added_to_a_full_card() -> None:
    card = Card()
    card.text("x" * 5_000)
    card.text("more")
    [text] = [each for each in card.walk_children() if isinstance(each, discord.ui.TextDisplay)]
    assert len(text.content) == MAX_CHARACTERS
    for _ in range(60):
        card.separator()
    assert card.components_left == 0


def test_who_wrote_and_when_support_answered_is_told_by_the_messages_ids() -> None:
    def ids(*seconds: int) -> list[int]:
        moments = (NOW + timedelta(seconds=each) for each in seconds)
        return [discord.utils.time_snowflake(moment) for moment in moments]

    ticket = replace(TICKET, opener_id=1, opened_at=NOW)
    messages = {1: ids(5, 60), 2: ids(90), 3: ids(30, 40, 50), 4: ids(1), 0: ids(2)}
    told = conversation_of(ticket, messages, {4}.__contains__)
    assert told.counts == [(1, 2), (3, 3), (2, 1)]
    assert told.answer is not None
    assert (told.answer.by_id, round(told.answer.after.total_seconds())) == (3, 30)
    assert conversation_of(ticket, {1: ids(5)}, {4}.__contains__).answer is None
