"""What the operator's view shows, as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domains.scheduled_task.timer import Timer
from domains.ticket_lifecycle.models import Params


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
    attention: Params | None
    """A code with its parameters."""
    attention_since: datetime | None = None

    @property
    def name(self) -> str:
        return f"ticket-{self.number:04d}"


@dataclass(frozen=True, slots=True)
class TimerContext:
    """What a timer's ticket has to do with it."""

    ticket: TicketLine
    requested_by_id: int | None
    is_told: bool
    """Whether the member has been told of it; before that its time does not run."""
    in_grace: bool


@dataclass(frozen=True, slots=True)
class TimerLine:
    """A timer of whichever kind, and what it waits for."""

    timer: Timer
    context: TimerContext | None
    """None for a timer that is about no ticket."""

    @property
    def ticket(self) -> TicketLine | None:
        return self.context.ticket if self.context else None

    @property
    def needs_person(self) -> bool:
        return self.ticket is not None and self.ticket.attention is not None

    def state(self, now: datetime) -> str:
        """Why it fires then, or does not."""
        context = self.context
        states = (
            (self.needs_person, "attention"),
            (context is not None and context.ticket.excluded, "excluded"),
            (context is not None and not context.is_told, "unasked"),
            (self.timer.due < now, "overdue"),
            (context is not None and context.in_grace, "grace"),
        )
        return next((state for applies, state in states if applies), "pending")


@dataclass(frozen=True, slots=True)
class TimersOfKind:
    """How many timers of one kind there are, and how many of them are overdue."""

    kind: str
    total: int
    overdue: int


@dataclass(frozen=True, slots=True)
class LateClose:
    ticket_id: int
    at: datetime
    late_ms: int
    """From the deadline to the decision; or to the end, where that is asked for."""


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
