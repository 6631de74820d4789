"""What the operator's view shows, as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TicketLine:
    """A ticket as a line of a list."""

    id: int
    guild_id: int
    number: int
    channel_id: int | None
    subject: str
    status: str
    excluded: bool
    attention: str | None
    attention_since: datetime | None = None

    @property
    def name(self) -> str:
        return f"ticket-{self.number:04d}"


@dataclass(frozen=True, slots=True)
class Deadline:
    ticket: TicketLine
    close_request_id: int
    closes_at: datetime
    requested_by_id: int
    announced: bool
    in_grace: bool

    def state(self, now: datetime) -> str:
        """Why it closes then, or does not."""
        states = (
            (self.ticket.attention is not None, "attention"),
            (self.ticket.excluded, "excluded"),
            (not self.announced, "unasked"),
            (self.closes_at < now, "overdue"),
            (self.in_grace, "grace"),
        )
        return next((state for applies, state in states if applies), "pending")


@dataclass(frozen=True, slots=True)
class LateClose:
    ticket_id: int
    at: datetime
    late_ms: int


@dataclass(frozen=True, slots=True)
class Lateness:
    """Of the last timed closes, newest first."""

    closes: Sequence[LateClose]

    @property
    def sorted_ms(self) -> list[int]:
        return sorted(close.late_ms for close in self.closes)

    def percentile(self, percent: int) -> int | None:
        """The nearest rank: a lateness that there was."""
        late = self.sorted_ms
        return late[max(0, -(-len(late) * percent // 100) - 1)] if late else None

    @property
    def most(self) -> int | None:
        return self.percentile(100)


@dataclass(frozen=True, slots=True)
class Dependency:
    """PostgreSQL, Redis or Discord. `why` is empty if it is there."""

    name: str
    why: str

    @property
    def is_there(self) -> bool:
        return not self.why
