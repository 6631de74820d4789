"""What a transcript is made of, and what saving one gives back. No Discord types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from locales import DEFAULT_LOCALE, Text


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
    colour: int | None = None
    """Of the bar at its side: 0xRRGGBB."""


@dataclass(frozen=True, slots=True)
class TextDisplay:
    """Markdown, as in a message's content."""

    content: str


class ControlLook(StrEnum):
    PRIMARY = "primary"
    SECONDARY = "secondary"
    SUCCESS = "success"
    DANGER = "danger"
    MENU = "menu"


@dataclass(frozen=True, slots=True)
class Control:
    """A button or a menu. Nothing can be done with it in a transcript, but that a link can be
    followed."""

    label: str
    url: str | None = None
    look: ControlLook = ControlLook.SECONDARY
    options: tuple[str, ...] = ()
    """Of a menu."""


@dataclass(frozen=True, slots=True)
class ActionRow:
    controls: tuple[Component, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Texts, and a button or a picture at their side."""

    texts: tuple[Component, ...]
    accessory: Component | None


@dataclass(frozen=True, slots=True)
class MediaGallery:
    items: tuple[Attachment, ...]


@dataclass(frozen=True, slots=True)
class Separator:
    has_line: bool = True


@dataclass(frozen=True, slots=True)
class Container:
    parts: tuple[Component, ...]
    colour: int | None = None


Component = (
    TextDisplay | Control | Attachment | ActionRow | Section | MediaGallery | Separator | Container
)


def _walk(components: Sequence[Component]) -> Iterator[Component]:
    """Each, and what is in it, in reading order."""
    for component in components:
        yield component
        match component:
            case ActionRow(controls=inside) | Container(parts=inside):
                yield from _walk(inside)
            case MediaGallery(items=inside):
                yield from inside
            case Section(texts, accessory):
                yield from _walk([*texts, *([accessory] if accessory else [])])
            case _:
                pass


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
    """Empty if it is not known: then it says `Somebody`."""
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
    notes: tuple[Text, ...] = ()
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
            for component in _walk(part.components):
                if isinstance(component, Attachment):
                    yield component

    @property
    def colours(self) -> Iterator[int]:
        """Of embeds and containers."""
        for part in (self, *self.forwarded):
            containers = (each for each in _walk(part.components) if isinstance(each, Container))
            for coloured in (*part.embeds, *containers):
                if coloured.colour is not None:
                    yield coloured.colour

    @property
    def first_text(self) -> str:
        """Of what it says in components, where it has no content."""
        texts = (each for each in _walk(self.components) if isinstance(each, TextDisplay))
        return next((each.content for each in texts), "")


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
class Named:
    """Somebody with the name that the page shows."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class TranscriptHeader:
    guild_id: int
    guild_name: str
    channel_name: str
    ticket_id: int
    ticket_number: int
    subject: str | None
    opener: Named
    opened_at: datetime
    closed_at: datetime
    closed_by: Named | None
    """None: the bot, because it was time."""
    reason: str | None
    cause: str | None = None
    """What brought the close about: the value of a CloseCause."""
    asked_by: Named | None = None
    """Who made the close request that ended it."""
    late_ms: int | None = None
    """Of a timed close: from the deadline to the decision."""
    locale: str = DEFAULT_LOCALE
    """The language of the page."""


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
    messages_of: Mapping[int, tuple[int, ...]] = field(default_factory=dict[int, tuple[int, ...]])
    """The ids of what each wrote, bots too; nobody's, if an older version saved it."""
