"""The rows of this domain as frozen dataclasses, and the words for their states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

from domains.policy import Policy

Params = Mapping[str, object]


class TicketStatus(StrEnum):
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class RequestStatus(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    ANSWERED = "answered"
    SUPERSEDED = "superseded"
    CLOSED = "closed"


class CloseCause(StrEnum):
    """What brought a close about."""

    ACCEPTED = "accepted"
    EXPIRED = "expired"
    COMMAND = "command"
    CHANNEL_DELETED = "channel_deleted"
    WITHOUT_REDIS = "without_redis"
    LEFT_SERVER = "left_server"


class Operator(int):
    """Whoever is logged in on the dashboard: nobody on Discord, so 0 as an actor's id, but the
    history keeps the name."""

    name: str

    def __new__(cls, name: str) -> Self:
        operator = super().__new__(cls, 0)
        operator.name = name
        return operator


@dataclass(frozen=True, slots=True)
class GuildSettings:
    guild_id: int
    support_role_ids: tuple[int, ...] = ()
    category_id: int | None = None
    log_channel_id: int | None = None
    reply_keeps_open: bool = True
    policy: Policy = field(default_factory=Policy)
    """What is set here; what counts is `LifecyclePolicy.effective`."""
    keep_deleted: bool = True
    """Whether transcripts hold what was deleted or edited."""
    locale: str | None = None
    """The language that `/language` has set; None is the server's on Discord."""


@dataclass(frozen=True, slots=True)
class Ticket:
    id: int
    guild_id: int
    number: int
    channel_id: int | None
    opener_id: int
    subject: str
    status: TicketStatus
    exclude_from_autoclose: bool
    claimed_by_id: int | None
    opened_at: datetime
    closed_at: datetime | None
    closed_by_id: int | None
    close_reason: str | None
    attention: Params | None
    """Why a person is needed: a code with its parameters."""
    close_cause: CloseCause | None
    token: str
    """The random part of its mark: ids begin anew in an emptied database."""
    opener_locale: str | None
    """The opener's language as Discord named it when they opened the ticket."""
    card_message_id: int | None
    """Its first message, which tells its state."""

    @property
    def name(self) -> str:
        """The name of its channel: `ticket-0001`."""
        return f"ticket-{self.number:04d}"


@dataclass(frozen=True, slots=True)
class CloseRequest:
    id: int
    ticket_id: int
    requested_by_id: int
    reason: str | None
    auto_close_at: datetime | None
    status: RequestStatus
    requested_at: datetime
    message_id: int | None
    resolved_at: datetime | None
    resolved_by_id: int | None
    grace_at: datetime | None
    extensions: int
    read_at: datetime | None
    """Until when the opener's messages are known to have been noted or read."""
    extended_by_id: int | None
    """Who moved its deadline last."""
    extension_message_id: int | None
    """The reply that tells of it."""
    reminder_message_id: int | None

    @property
    def is_asked(self) -> bool:
        """Whether the opener has been asked. Until then its time does not run."""
        return self.message_id is not None

    @property
    def was_taken_back(self) -> bool:
        """Whether the opener could not be asked."""
        is_withdrawn = self.status is RequestStatus.WITHDRAWN and self.resolved_by_id is None
        return is_withdrawn and not self.is_asked


@dataclass(frozen=True, slots=True)
class TimedTicket:
    ticket: Ticket
    request: CloseRequest | None
    """The pending one, if it has a deadline."""
    is_told: bool
    """Whether the opener has been told of the deadline; before that its time does not run."""


@dataclass(frozen=True, slots=True)
class TicketEvent:
    event: str
    actor_id: int | None
    at: datetime
    late_ms: int | None
    """Of `expired`: from the deadline to the decision. Of `closed`: to the end."""
    detail: str | None
    """What somebody typed, in rows of older versions."""
    params: Params

    @property
    def operator(self) -> str | None:
        """The name of who did it on the dashboard."""
        name = self.params.get("operator")
        return name if isinstance(name, str) else None


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides whether a member may open another ticket, besides a block."""

    unclosed: int
    opening: int
    """How many of those are just being opened."""
    unclosed_in_guild: int
    last_opened_at: datetime | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Block:
    """A member who may not open tickets in a server."""

    id: int
    guild_id: int
    member_id: int
    reason: str | None
    blocked_by_id: int
    blocked_at: datetime
    ends_at: datetime | None
    """None: until somebody unblocks the member."""


class AutoCloseOutcome(StrEnum):
    """What became of an attempt to close a ticket whose time is up."""

    CLOSED = "closed"
    CLOSING = "closing"
    """Its time was up, and what follows is under way."""
    BEING_READ = "being_read"
    """What the opener may have written is being read first."""
    ALREADY_CLOSED = "already_closed"
    NEEDS_ATTENTION = "needs_attention"
    NOT_PENDING = "not_pending"
    NOT_DUE = "not_due"
    EXCLUDED = "excluded"
    ANSWERED = "answered"
    NOT_ASKED = "not_asked"
    GONE = "gone"
