"""Messages in the order they were sent, each with what it shows only because of those before it:
the day or thread it begins, the block it continues, the message it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from markupsafe import Markup

from domains.transcripts.markdown import DiscordMarkdown, excerpt, is_web_link
from domains.transcripts.models import (
    ActionRow,
    Attachment,
    Component,
    Container,
    Control,
    Embed,
    MediaGallery,
    MissedAttachment,
    Section,
    Separator,
    Snapshot,
    TextDisplay,
    Thread,
    TranscriptMessage,
)
from locales import DEFAULT_LOCALE, text

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
    colour: int | None


class ComponentKind(StrEnum):
    TEXT = "text"
    CONTROL = "control"
    FILE = "file"
    ROW = "row"
    SECTION = "section"
    GALLERY = "gallery"
    SEPARATOR = "separator"
    CONTAINER = "container"


@dataclass(frozen=True, slots=True)
class ComponentView:
    """Has what its kind has use for."""

    kind: ComponentKind
    text: Markup | None = None
    control: Control | None = None
    file: Outcome | None = None
    parts: tuple[ComponentView, ...] = ()
    accessory: ComponentView | None = None
    colour: int | None = None
    has_line: bool = False


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
    author: str
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

    def __init__(self, locale: str = DEFAULT_LOCALE) -> None:
        self._locale = locale
        self._markdown = DiscordMarkdown(locale)
        self._previous: TranscriptMessage | None = None
        self._lines: dict[int, Answered] = {}

    def view(self, entry: Entry) -> MessageView:
        message, previous = entry.message, self._previous
        renderer = _BodyRenderer(self._markdown, message.mentions, entry.outcomes)
        begins_thread = previous is not None and previous.thread != message.thread
        begins_thread = begins_thread or (previous is None and message.thread is not None)
        begins_day = begins_thread or previous is None or _date(previous) != _date(message)
        self._previous = message
        author = message.author_name or text("transcript.somebody", self._locale)
        self._lines[message.id] = Answered(message.id, author, self._line(message))
        return MessageView(
            message=message,
            author=author,
            content=renderer.html(message.content),
            earlier=tuple((renderer.html(each.content), each.until) for each in message.earlier),
            components=renderer.components(message.components),
            embeds=renderer.embeds(message.embeds),
            files=renderer.files(message.attachments),
            forwarded=tuple(renderer.snapshot(snapshot) for snapshot in message.forwarded),
            begins_thread=message.thread if begins_thread else None,
            begins_day=begins_day,
            begins_block=begins_day or not _continues(previous, message),
            answered=self._lines.get(message.reply_to_id) if message.reply_to_id else None,
            initial=next((c for c in author if c.isalnum()), "?").upper(),
            tint=message.author_id % TINTS,
        )

    def _line(self, message: TranscriptMessage) -> str:
        """One of plain text: what it says first, or else what it is."""
        titles = [embed.title for embed in message.embeds if embed.title]
        said = message.content or message.first_text
        if line := excerpt(said, message.mentions, self._locale):
            return line
        if message.attachments:
            return text("transcript.an_attachment", self._locale)
        if message.poll:
            return excerpt(message.poll.question, {}, self._locale)
        if message.forwarded:
            return text("transcript.a_forwarded_message", self._locale)
        if titles:
            return excerpt(titles[0], {}, self._locale)
        return text("transcript.no_text", self._locale)


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

    def _component(self, component: Component) -> ComponentView:  # noqa: PLR0911  # a table
        match component:
            case TextDisplay(content):
                return ComponentView(ComponentKind.TEXT, text=self.html(content))
            case Control():
                safe = replace(component, url=_web_link(component.url))
                return ComponentView(ComponentKind.CONTROL, control=safe)
            case Attachment():
                return ComponentView(ComponentKind.FILE, file=self._outcomes[component])
            case ActionRow(controls):
                return ComponentView(ComponentKind.ROW, parts=self.components(controls))
            case Section(texts, accessory):
                return ComponentView(
                    ComponentKind.SECTION,
                    parts=self.components(texts),
                    accessory=self._component(accessory) if accessory else None,
                )
            case MediaGallery(items):
                return ComponentView(ComponentKind.GALLERY, parts=self.components(items))
            case Separator(has_line):
                return ComponentView(ComponentKind.SEPARATOR, has_line=has_line)
            case Container(parts, colour):
                return ComponentView(
                    ComponentKind.CONTAINER, parts=self.components(parts), colour=colour
                )

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
            colour=embed.colour,
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
