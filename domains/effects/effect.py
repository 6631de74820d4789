"""What an effect is, and what its type says about doing it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from domains.database import Transaction

AfterDelivery = Callable[[Transaction], Awaitable[None]]
"""What is to be written in the transaction that also takes the effect off the list."""


class Lane(IntEnum):
    """Effects of one ticket follow each other within a lane, and overtake those of another."""

    STORY = 0
    """What is told in the ticket, in its order, to the end."""
    ATTENTION = 1
    """A call for a person, which is about an effect that is stuck in its lane."""
    READING = 2
    """Looking for an answer before a deadline is decided."""


@dataclass(frozen=True, slots=True)
class Effect:
    id: int
    guild_id: int
    ticket_id: int
    kind: str
    subject_id: int
    """What it is about besides the ticket (a close request's id), or 0."""
    nonce: str
    """With it Discord takes a message once, however often it is sent within some minutes."""
    revision: int
    attempts: int
    """How often it was begun, this time included."""
    failures: int
    """How often it has failed. What was away does not count."""

    @property
    def again(self) -> bool:
        """It may have been done already, just before a crash: look for it first."""
        return self.attempts > 1


class NeedsPersonError(Exception):
    """No further attempt is of use before a person has done something. The cause says what."""


class GaveUpError(Exception):
    """It is over and off the list, and all is done about it. The cause says why, for whoever
    waits for it."""


class EffectType(ABC):
    """Does the effects of one kind."""

    kind: ClassVar[str]
    lane: ClassVar[Lane] = Lane.STORY
    essential: ClassVar[bool] = False
    """An essential one is tried for ever, with a person's help; any other is given up after its
    attempts, or at once where an essential one would have to wait for it."""

    @abstractmethod
    async def deliver(self, effect: Effect) -> AfterDelivery | None:
        """Do it. It may be done twice, even at once: read the truth anew, and be idempotent.

        Raise AwayError if what it needs is away, NeedsPersonError if no retry helps, anything
        else if another attempt is to follow.
        """

    async def failed(self, effect: Effect, error: Exception, *, needs_person: bool) -> None:  # noqa: B027  # optional
        """Called after each failure of an essential effect, once it is recorded."""
