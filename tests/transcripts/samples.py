"""Tickets to save: plain ones, which a test then makes as nasty as it needs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from domains.transcripts import (
    Attachment,
    AttachmentUnavailable,
    Named,
    TranscriptHeader,
    TranscriptMessage,
)
from domains.transcripts.collecting import Download

OPENED_AT = datetime(2026, 8, 26, 18, 4, tzinfo=UTC)
NUMBERS = count(7)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)

HEADER = TranscriptHeader(
    guild_id=1,
    guild_name="Acme Store",
    channel_name="ticket-0042",
    ticket_id=42,
    ticket_number=42,
    subject="A double charge",
    opener=Named(2, "Sam"),
    opened_at=OPENED_AT,
    closed_at=OPENED_AT + timedelta(hours=3, minutes=5),
    closed_by=Named(3, "Ada"),
    reason="Refunded",
)

MESSAGE = TranscriptMessage(
    id=1000,
    author_id=2,
    author_name="Sam",
    author_is_bot=False,
    sent_at=OPENED_AT,
    edited_at=None,
    content="Hello",
    embeds=(),
    attachments=(),
    reply_to_id=None,
    mentions={},
)


def said(*contents: str) -> list[TranscriptMessage]:
    return [
        replace(MESSAGE, id=1000 + n, sent_at=OPENED_AT + timedelta(seconds=n), content=content)
        for n, content in enumerate(contents)
    ]


def attachment(filename: str = "log.txt", *, size: int = 5) -> Attachment:
    number = next(NUMBERS)
    return Attachment(number, filename, size, None, f"https://cdn.example/{number}")


def attached(*attachments: Attachment) -> list[TranscriptMessage]:
    return [replace(MESSAGE, attachments=attachments)]


async def stream(messages: Iterable[TranscriptMessage]) -> AsyncIterator[TranscriptMessage]:
    for message in messages:
        yield message


def always(data: bytes) -> Download:
    async def download(_: Attachment) -> AsyncIterator[bytes]:
        yield data

    return download


async def five_bytes(_: Attachment) -> AsyncIterator[bytes]:
    yield b"123"
    yield b"45"


async def gone(_: Attachment) -> AsyncIterator[bytes]:
    yield b"12"
    raise AttachmentUnavailable("Discord <no longer> has it")
