"""The rows of this domain as frozen dataclasses, and the words for their states."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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


MAX_CLOSE_ATTEMPTS = 4
"""Of a close: the first attempt and three retries; then a person is asked."""


class CloseStep(StrEnum):
    """The steps of a close, in their order. A ticket records the last one that is done."""

    TRANSCRIPT = "transcript"
    LOG = "log"
    DM = "dm"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class GuildSettings:
    guild_id: int
    support_role_ids: tuple[int, ...] = ()
    category_id: int | None = None
    log_channel_id: int | None = None
    reply_keeps_open: bool = True


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
    attention: str | None
    close_cause: CloseCause | None
    close_step: CloseStep | None
    close_attempts: int
    close_failures: int
    close_retry_at: datetime | None

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
    announced: bool
    grace_at: datetime | None
    grace_announced: bool
    extensions: int


@dataclass(frozen=True, slots=True)
class PendingClose:
    """A ticket with a deadline."""

    ticket: Ticket
    request: CloseRequest


@dataclass(frozen=True, slots=True)
class TicketEvent:
    event: str
    actor_id: int | None
    at: datetime
    late_ms: int | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class CloseTimer:
    """What a scheduler needs to know of a timed request."""

    ticket_id: int
    close_request_id: int
    auto_close_at: datetime

    @property
    def due_ms(self) -> int:
        """The deadline in epoch milliseconds, rounded up: a job must never come early."""
        return math.ceil(round(self.auto_close_at.timestamp() * 1000, 3))


class AutoCloseOutcome(StrEnum):
    """What became of an attempt to close a ticket whose time is up."""

    CLOSED = "closed"
    ALREADY_CLOSED = "the ticket is closed already"
    BEING_CLOSED = "somebody else is closing the ticket"
    NEEDS_ATTENTION = "the ticket needs a person's attention"
    NOT_PENDING = "the request is no longer pending"
    NOT_DUE = "the deadline has not come yet"
    EXCLUDED = "the ticket is excluded from auto-close"
    ANSWERED = "the opener has answered"
    NOT_ASKED = "the opener has not been asked yet"
    GONE = "there is no such ticket or request"
