"""One thing a member did to the bot (a command, a click, a form), and all that came back."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import IntEnum

from .change_signal import ChangeSignal
from .json_types import JsonObject, children
from .models import Channel, Member, Message, User


class InteractionType(IntEnum):
    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL_SUBMIT = 5


class ResponseType(IntEnum):
    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    AUTOCOMPLETE = 8
    MODAL = 9


@dataclass(frozen=True, slots=True)
class Response:
    """The bot's first answer."""

    type: ResponseType
    data: JsonObject
    seconds: float


@dataclass(frozen=True, slots=True)
class Choice:
    name: str
    value: str | int | float


@dataclass(eq=False, slots=True)
class Interaction:
    """Kept alive by the bot's answers: look at it again after a deferred one was filled in."""

    id: int
    token: str
    type: InteractionType
    what: str
    member: Member | User
    channel: Channel
    changes: ChangeSignal
    source: Message | None = None  # the message whose component was used
    opened_by: Interaction | None = None  # what a submitted form was the answer to
    started: float = field(default_factory=time.monotonic)
    response: Response | None = None
    original: Message | None = None  # what @original names
    replies: list[Message] = field(default_factory=list[Message])
    expired: bool = False  # set it, and the token is as good as one older than 15 minutes

    @property
    def user(self) -> User:
        return self.member if isinstance(self.member, User) else self.member.user

    @property
    def message(self) -> Message | None:
        """The last message this interaction brought forth."""
        return self.replies[-1] if self.replies else None

    @property
    def content(self) -> str:
        return self.message.content if self.message else ""

    @property
    def text(self) -> str:
        """The last reply with its embeds and text components."""
        return self.message.text if self.message else ""

    @property
    def ephemeral(self) -> bool:
        return self.message is not None and self.message.ephemeral

    @property
    def deferred(self) -> bool:
        return self.response is not None and self.response.type in (
            ResponseType.DEFERRED_MESSAGE,
            ResponseType.DEFERRED_UPDATE,
        )

    @property
    def modal(self) -> JsonObject | None:
        if self.response is None or self.response.type is not ResponseType.MODAL:
            return None
        return self.response.data

    @property
    def choices(self) -> list[Choice]:
        if self.response is None or self.response.type is not ResponseType.AUTOCOMPLETE:
            return []
        offered = children(self.response.data, "choices")
        return [Choice(choice["name"], choice["value"]) for choice in offered]

    @property
    def settled(self) -> bool:
        """Answered, and nobody sees "is thinking…" any more."""
        if self.response is None:
            return False
        if self.original is None or self.original.deleted or self.channel.deleted:
            return True
        return not self.original.loading

    async def answered(self, *, within: float) -> Interaction:
        """Once the first response came. A TimeoutError is "The application did not respond"."""
        await self.changes.until(
            lambda: self.response is not None,
            within=within,
            waiting_for=f"any answer to {self.what}",
        )
        return self

    async def finished(self, *, within: float) -> Interaction:
        """Once a deferred answer was filled in, too."""
        await self.changes.until(
            lambda: self.settled, within=within, waiting_for=f"the deferred answer to {self.what}"
        )
        return self

    async def replied(self, count: int = 1, *, within: float = 5.0) -> Message:
        """Once that many messages came back: for a follow-up after an update."""
        await self.changes.until(
            lambda: len(self.replies) >= count,
            within=within,
            waiting_for=f"reply {count} to {self.what}",
        )
        return self.replies[count - 1]
