"""Messages in the order they were sent, each with what it shows only because of those before it:
the day it begins, the block it continues, the message it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

from markupsafe import Markup

from domains.transcripts.markdown import DiscordMarkdown, excerpt, is_web_link
from domains.transcripts.models import Embed, MissedAttachment, TranscriptMessage

SAME_BLOCK = timedelta(minutes=7)
TINTS = 8


@dataclass(frozen=True, slots=True)
class KeptAttachment:
    stored_name: str
    filename: str
    size: int
    is_image: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A message and what became of its attachments."""

    message: TranscriptMessage
    kept: tuple[KeptAttachment, ...]
    missed: tuple[MissedAttachment, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    message_id: int
    author_name: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class EmbedView:
    title: str | None
    url: str | None
    description: Markup | None
    fields: tuple[tuple[Markup, Markup], ...]
    footer: str | None


@dataclass(frozen=True, slots=True)
class MessageView:
    message: TranscriptMessage
    content: Markup
    embeds: tuple[EmbedView, ...]
    kept: tuple[KeptAttachment, ...]
    missed: tuple[MissedAttachment, ...]
    begins_day: bool
    begins_block: bool
    answered: Answered | None
    initial: str
    tint: int


class Conversation:
    """Remembers one line of each message, so that a later one can answer it."""

    def __init__(self) -> None:
        self._markdown = DiscordMarkdown()
        self._previous: TranscriptMessage | None = None
        self._lines: dict[int, Answered] = {}

    def view(self, entry: Entry) -> MessageView:
        message, previous = entry.message, self._previous
        begins_day = previous is None or _date(previous) != _date(message)
        self._previous = message
        self._lines[message.id] = Answered(message.id, message.author_name, _line(message))
        return MessageView(
            message=message,
            content=self._markdown.html(message.content, message.mentions),
            embeds=tuple(self._embed(embed, message) for embed in message.embeds),
            kept=entry.kept,
            missed=entry.missed,
            begins_day=begins_day,
            begins_block=begins_day or not _continues(previous, message),
            answered=self._lines.get(message.reply_to_id) if message.reply_to_id else None,
            initial=next((c for c in message.author_name if c.isalnum()), "?").upper(),
            tint=message.author_id % TINTS,
        )

    def _embed(self, embed: Embed, message: TranscriptMessage) -> EmbedView:
        def html(text: str) -> Markup:
            return self._markdown.html(text, message.mentions)

        return EmbedView(
            title=embed.title,
            url=embed.url if embed.url and is_web_link(embed.url) else None,
            description=html(embed.description) if embed.description else None,
            fields=tuple((html(name), html(value)) for name, value in embed.fields),
            footer=embed.footer,
        )


def _date(message: TranscriptMessage) -> object:
    return message.sent_at.astimezone(UTC).date()


def _continues(previous: TranscriptMessage | None, message: TranscriptMessage) -> bool:
    return (
        previous is not None
        and message.reply_to_id is None
        and (previous.author_id, previous.author_name) == (message.author_id, message.author_name)
        and message.sent_at - previous.sent_at < SAME_BLOCK
    )


def _line(message: TranscriptMessage) -> str:
    if text := excerpt(message.content, message.mentions):
        return text
    if message.attachments:
        return "an attachment"
    titles: Sequence[str] = [embed.title for embed in message.embeds if embed.title]
    return excerpt(titles[0], {}) if titles else "a message without text"
