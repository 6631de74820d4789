"""What the operator's view shows, as frozen dataclasses."""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTicket(TicketLine):
    """A ticket in the list of all."""

    opener_id: int
    opened_at: datetime
    closed_at: datetime | None
    auto_close_at: datetime | None
    """The deadline of the request that is pending, if it has one."""


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
    ticket_number: int
    at: datetime
    late_ms: int
    """From the deadline to the decision; or to the end, where that is asked for."""

    @property
    def name(self) -> str:
        return f"ticket-{self.ticket_number:04d}"


@dataclass(frozen=True, slots=True)
class TabCounts:
    """What stands beside the names of the pages; None where it is not known now."""

    unclosed: int | None = None
    timers: int | None = None
    attention: int | None = None
    failed_jobs: int | None = None


@dataclass(frozen=True, slots=True)
class TroubleGroup:
    """What failed in the same way in the same server."""

    code: str
    guild_id: int | None
    number: int
    example: Params
    """The reason of one of them: a code with its parameters."""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Dependency:
    """PostgreSQL, Redis or Discord. `why` is empty if it is there."""

    name: str
    why: str

    @property
    def is_there(self) -> bool:
        return not self.why
