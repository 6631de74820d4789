"""What a transcript is made of, and what saving one gives back. No Discord types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that belongs to a message: uploaded, a sticker, or a picture of an embed."""

    id: int
    """The same for the same content."""
    filename: str
    size: int
    """0 where Discord doesn't say it."""
    content_type: str | None
    url: str
    description: str | None = None
    """The alternative text, or what it is if it was not uploaded."""


@dataclass(frozen=True, slots=True)
class Embed:
    title: str | None = None
    description: str | None = None
    fields: tuple[tuple[str, str], ...] = ()
    footer: str | None = None
    url: str | None = None
    provider: str | None = None
    author: str | None = None
    author_url: str | None = None
    video_url: str | None = None
    timestamp: datetime | None = None
    pictures: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """A text component: markdown, as in a message's content."""

    content: str


@dataclass(frozen=True, slots=True)
class Control:
    """A button or a menu. Nothing can be done with it in a transcript."""

    label: str
    url: str | None = None


Component = Text | Control | Attachment
"""In reading order, whatever they are nested in."""


@dataclass(frozen=True, slots=True)
class Poll:
    question: str
    answers: tuple[tuple[str, int], ...]
    """Each with its votes."""
    ends_at: datetime | None
    has_ended: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A message as it was when somebody forwarded it."""

    content: str
    sent_at: datetime
    edited_at: datetime | None = None
    embeds: tuple[Embed, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    components: tuple[Component, ...] = ()


@dataclass(frozen=True, slots=True)
class EarlierText:
    """What a message said until it was edited."""

    content: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread in the ticket's channel."""

    id: int
    name: str


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
    components: tuple[Component, ...] = ()
    forwarded: tuple[Snapshot, ...] = ()
    poll: Poll | None = None
    reactions: tuple[tuple[str, int], ...] = ()
    """An emoji, and how many chose it."""
    notes: tuple[str, ...] = ()
    """What Discord shows beside the message: that it is pinned, which command it answers."""
    thread: Thread | None = None
    """Where it was written, if not in the channel itself."""
    earlier: tuple[EarlierText, ...] = ()
    """Oldest first; only what the bot has seen itself."""
    deleted_at: datetime | None = None

    @property
    def all_attachments(self) -> Iterator[Attachment]:
        for part in (self, *self.forwarded):
            yield from part.attachments
            for embed in part.embeds:
                yield from embed.pictures
            for component in part.components:
                if isinstance(component, Attachment):
                    yield component


class ChangeKind(StrEnum):
    EDITED = "edited"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class MessageChange:
    """A message as it was before somebody edited or deleted it."""

    kind: ChangeKind
    message_id: int
    thread: Thread | None
    at: datetime
    sent_at: datetime
    author_id: int | None
    """None, as the texts then: it was written before the bot could see it."""
    author_name: str | None
    content: str | None
    mentions: Mapping[str, str]
    filenames: tuple[str, ...]


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
