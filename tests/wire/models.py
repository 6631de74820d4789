"""What a Discord server is made of, as far as a ticket bot touches it.

Identity is the object's: a test may keep a channel or a message and look at it again after the bot
changed or deleted it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

from .json_types import JsonObject, child, children
from .permissions import Permission


class ChannelType(IntEnum):
    TEXT = 0
    DM = 1
    VOICE = 2
    CATEGORY = 4
    ANNOUNCEMENT = 5
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12
    STAGE = 13
    FORUM = 15


class MessageFlag(IntFlag):
    SUPPRESS_EMBEDS = 1 << 2
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    COMPONENTS_V2 = 1 << 15


@dataclass(eq=False, slots=True, repr=False)
class User:
    id: int
    name: str
    bot: bool = False
    accepts_dms: bool = True
    locale: str = "en-US"

    def __repr__(self) -> str:
        return f"@{self.name}"

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"


@dataclass(eq=False, slots=True)
class Role:
    id: int
    name: str
    permissions: Permission
    position: int = 1
    managed: bool = False

    @property
    def mention(self) -> str:
        return f"<@&{self.id}>"


@dataclass(eq=False, slots=True, repr=False)
class Member:
    user: User
    guild_id: int
    role_ids: list[int]
    joined_at: str

    def __repr__(self) -> str:
        return repr(self.user)

    @property
    def id(self) -> int:
        return self.user.id

    @property
    def name(self) -> str:
        return self.user.name

    @property
    def mention(self) -> str:
        return self.user.mention


@dataclass(frozen=True, slots=True)
class Overwrite:
    target_id: int
    is_member: bool
    allow: Permission
    deny: Permission


@dataclass(eq=False, slots=True)
class ThreadState:
    owner_id: int
    archived: bool = False
    locked: bool = False
    invitable: bool = True
    auto_archive_minutes: int = 1440
    archive_timestamp: str = ""
    member_ids: set[int] = field(default_factory=set[int])


@dataclass(eq=False, slots=True, repr=False)
class Channel:
    id: int
    type: ChannelType
    name: str
    guild_id: int | None = None
    parent_id: int | None = None
    topic: str | None = None
    position: int = 0
    nsfw: bool = False
    slowmode_seconds: int = 0
    overwrites: dict[int, Overwrite] = field(default_factory=dict[int, Overwrite])
    recipient: User | None = None
    thread: ThreadState | None = None
    messages: dict[int, Message] = field(default_factory=dict[int, "Message"])
    deleted: bool = False

    def __repr__(self) -> str:
        return f"#{self.name or self.recipient}"

    @property
    def mention(self) -> str:
        return f"<#{self.id}>"

    @property
    def holds_messages(self) -> bool:
        return self.type not in (ChannelType.CATEGORY, ChannelType.FORUM)

    @property
    def writing_permission(self) -> Permission:
        return Permission.SEND_MESSAGES_IN_THREADS if self.thread else Permission.SEND_MESSAGES

    @property
    def last_message(self) -> Message | None:
        return next(reversed(self.messages.values()), None)


@dataclass(frozen=True, slots=True)
class File:
    """What somebody uploads."""

    filename: str
    content: bytes
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    id: int
    filename: str
    content: bytes
    content_type: str
    url: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Pings:
    """Who a message really notified, after `allowed_mentions` had its say."""

    users: tuple[User, ...] = ()
    roles: tuple[Role, ...] = ()
    everyone: bool = False


@dataclass(eq=False, slots=True, repr=False)
class Message:
    id: int
    channel: Channel
    author: User
    content: str = ""
    embeds: list[JsonObject] = field(default_factory=list[JsonObject])
    components: list[JsonObject] = field(default_factory=list[JsonObject])
    attachments: list[Attachment] = field(default_factory=list[Attachment])
    flags: MessageFlag = field(default_factory=lambda: MessageFlag(0))
    nonce: str | int | None = None
    pings: Pings = Pings()
    edited_at: str | None = None
    reply_to: Message | None = None
    interaction_metadata: JsonObject | None = None
    visible_to: User | None = None
    deleted: bool = False

    def __repr__(self) -> str:
        return f"<{self.author} in {self.channel}: {self.text!r}>"

    @property
    def ephemeral(self) -> bool:
        return bool(self.flags & MessageFlag.EPHEMERAL)

    @property
    def loading(self) -> bool:
        """Deferred: the user sees "is thinking…"."""
        return bool(self.flags & MessageFlag.LOADING)

    @property
    def text(self) -> str:
        """All that can be read in it: content, embeds and text components, a line each."""
        return "\n".join(filter(None, self._lines()))

    @property
    def buttons(self) -> list[str]:
        """The labels on them."""
        found = (each for each in walk(self.components) if each["type"] == BUTTON)
        return [button.get("label") or "" for button in found]

    def _lines(self) -> Iterator[str]:
        yield self.content
        for embed in self.embeds:
            yield embed.get("title") or ""
            yield embed.get("description") or ""
            for embed_field in children(embed, "fields"):
                yield f"{embed_field['name']}: {embed_field['value']}"
            yield child(embed, "footer").get("text") or ""
        for component in walk(self.components):
            if component["type"] == TEXT_DISPLAY:
                yield component["content"]


BUTTON = 2
TEXT_DISPLAY = 10


def walk(components: list[JsonObject]) -> Iterator[JsonObject]:
    """Every component, however deep it sits in rows, sections, containers and labels."""
    for component in components:
        yield component
        yield from walk(children(component, "components"))
        for single in ("accessory", "component"):
            if nested := component.get(single):
                yield from walk([nested])


@dataclass(eq=False, slots=True)
class Guild:
    id: int
    name: str
    owner_id: int
    preferred_locale: str = "en-US"
    roles: dict[int, Role] = field(default_factory=dict[int, Role])
    members: dict[int, Member] = field(default_factory=dict[int, Member])

    @property
    def everyone(self) -> Role:
        return self.roles[self.id]
