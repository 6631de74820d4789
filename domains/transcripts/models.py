"""What a transcript is made of, and what saving one gives back. No Discord types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Attachment:
    id: int
    filename: str
    size: int
    content_type: str | None
    url: str


@dataclass(frozen=True, slots=True)
class Embed:
    title: str | None = None
    description: str | None = None
    fields: tuple[tuple[str, str], ...] = ()
    footer: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class TranscriptMessage:
    id: int
    author_id: int
    author_name: str
    author_is_bot: bool
    sent_at: datetime
    edited_at: datetime | None
    content: str
    embeds: tuple[Embed, ...]
    attachments: tuple[Attachment, ...]
    reply_to_id: int | None
    mentions: Mapping[str, str]
    """What the content writes to what is read: `<@123>` to `@Sam`, `<#5>` to `#general`,
    `<@&7>` to `@Support`."""


@dataclass(frozen=True, slots=True)
class TranscriptHeader:
    guild_id: int
    guild_name: str
    channel_name: str
    ticket_id: int
    ticket_number: int
    subject: str | None
    opener_name: str
    opened_at: datetime
    closed_at: datetime
    closed_by: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class SavedAttachment:
    path: Path
    filename: str
    """The safe name that the page shows."""
    size: int


@dataclass(frozen=True, slots=True)
class MissedAttachment:
    filename: str
    size: int
    reason: str


@dataclass(frozen=True, slots=True)
class SavedTranscript:
    path: Path
    """index.html."""
    message_count: int
    attachments: tuple[SavedAttachment, ...]
    missed: tuple[MissedAttachment, ...]
