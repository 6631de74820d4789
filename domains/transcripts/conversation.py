"""Messages in the order they were sent, each with what it shows only because of those before it:
the day or thread it begins, the block it continues, the message it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from domains.transcripts.markdown import DiscordMarkdown, excerpt, is_web_link
from domains.transcripts.models import (
    Attachment,
    Component,
    Control,
    Embed,
    MissedAttachment,
    Snapshot,
    Text,
    Thread,
    TranscriptMessage,
)

SAME_BLOCK = timedelta(minutes=7)
TINTS = 8


@dataclass(frozen=True, slots=True)
class KeptAttachment:
    stored_name: str
    filename: str
    size: int
    is_image: bool
    description: str | None = None
    announced_size: int = 0

    @property
    def is_part(self) -> bool:
        """Less came than Discord had said."""
        return self.size < self.announced_size


Outcome = KeptAttachment | MissedAttachment
Outcomes = Mapping[Attachment, Outcome]


@dataclass(frozen=True, slots=True)
class Entry:
    """A message and what became of its attachments."""

    message: TranscriptMessage
    outcomes: Outcomes

    @property
    def kept(self) -> Sequence[KeptAttachment]:
        return [each for each in self.outcomes.values() if isinstance(each, KeptAttachment)]

    @property
    def missed(self) -> Sequence[MissedAttachment]:
        return [each for each in self.outcomes.values() if isinstance(each, MissedAttachment)]


@dataclass(frozen=True, slots=True)
class Answered:
    message_id: int
    author_name: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class EmbedView:
    provider: str | None
    author: str | None
    author_url: str | None
    title: str | None
    url: str | None
    description: Markup | None
    fields: tuple[tuple[Markup, Markup], ...]
    video_url: str | None
    pictures: tuple[Outcome, ...]
    footer: str | None
    timestamp: datetime | None


@dataclass(frozen=True, slots=True)
class ComponentView:
    """One of the three."""

    text: Markup | None = None
    control: Control | None = None
    file: Outcome | None = None


@dataclass(frozen=True, slots=True)
class SnapshotView:
    sent_at: datetime
    edited_at: datetime | None
    content: Markup
    components: tuple[ComponentView, ...]
    embeds: tuple[EmbedView, ...]
    files: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class MessageView:
    message: TranscriptMessage
    content: Markup
    earlier: tuple[tuple[Markup, datetime], ...]
    components: tuple[ComponentView, ...]
    embeds: tuple[EmbedView, ...]
    files: tuple[Outcome, ...]
    forwarded: tuple[SnapshotView, ...]
    begins_thread: Thread | None
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
        renderer = _BodyRenderer(self._markdown, message.mentions, entry.outcomes)
        begins_thread = previous is not None and previous.thread != message.thread
        begins_thread = begins_thread or (previous is None and message.thread is not None)
        begins_day = begins_thread or previous is None or _date(previous) != _date(message)
        self._previous = message
        self._lines[message.id] = Answered(message.id, message.author_name, _line(message))
        return MessageView(
            message=message,
            content=renderer.html(message.content),
            earlier=tuple((renderer.html(text.content), text.until) for text in message.earlier),
            components=renderer.components(message.components),
            embeds=renderer.embeds(message.embeds),
            files=renderer.files(message.attachments),
            forwarded=tuple(renderer.snapshot(snapshot) for snapshot in message.forwarded),
            begins_thread=message.thread if begins_thread else None,
            begins_day=begins_day,
            begins_block=begins_day or not _continues(previous, message),
            answered=self._lines.get(message.reply_to_id) if message.reply_to_id else None,
            initial=next((c for c in message.author_name if c.isalnum()), "?").upper(),
            tint=message.author_id % TINTS,
        )


class _BodyRenderer:
    """For all that is in one message."""

    def __init__(
        self, markdown: DiscordMarkdown, mentions: Mapping[str, str], outcomes: Outcomes
    ) -> None:
        self._markdown = markdown
        self._mentions = mentions
        self._outcomes = outcomes

    def html(self, text: str) -> Markup:
        return self._markdown.html(text, self._mentions)

    def files(self, attachments: Sequence[Attachment]) -> tuple[Outcome, ...]:
        return tuple(self._outcomes[attachment] for attachment in attachments)

    def embeds(self, embeds: Sequence[Embed]) -> tuple[EmbedView, ...]:
        return tuple(self._embed(embed) for embed in embeds)

    def components(self, components: Sequence[Component]) -> tuple[ComponentView, ...]:
        return tuple(self._component(component) for component in components)

    def snapshot(self, snapshot: Snapshot) -> SnapshotView:
        return SnapshotView(
            sent_at=snapshot.sent_at,
            edited_at=snapshot.edited_at,
            content=self.html(snapshot.content),
            components=self.components(snapshot.components),
            embeds=self.embeds(snapshot.embeds),
            files=self.files(snapshot.attachments),
        )

    def _component(self, component: Component) -> ComponentView:
        match component:
            case Text(content):
                return ComponentView(text=self.html(content))
            case Control(label, url):
                return ComponentView(control=Control(label, _web_link(url)))
            case Attachment():
                return ComponentView(file=self._outcomes[component])

    def _embed(self, embed: Embed) -> EmbedView:
        return EmbedView(
            provider=embed.provider,
            author=embed.author,
            author_url=_web_link(embed.author_url),
            title=embed.title,
            url=_web_link(embed.url),
            description=self.html(embed.description) if embed.description else None,
            fields=tuple((self.html(name), self.html(value)) for name, value in embed.fields),
            video_url=_web_link(embed.video_url),
            pictures=self.files(embed.pictures),
            footer=embed.footer,
            timestamp=embed.timestamp,
        )


def _web_link(url: str | None) -> str | None:
    return url if url and is_web_link(url) else None


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
    if message.poll:
        return excerpt(message.poll.question, {})
    if message.forwarded:
        return "a forwarded message"
    titles: Sequence[str] = [embed.title for embed in message.embeds if embed.title]
    return excerpt(titles[0], {}) if titles else "a message without text"
