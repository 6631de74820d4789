"""Will this ticket close, when, and why (not)? The one place that answers; others render it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from domains.effects.store import PendingEffect
from domains.ticket_lifecycle.effect_kinds import CLOSE_STEPS, EffectKind
from domains.ticket_lifecycle.models import (
    CloseCause,
    CloseRequest,
    Params,
    RequestStatus,
    Ticket,
    TicketEvent,
    TicketStatus,
)


class Outlook(StrEnum):
    CLOSED = "closed"
    CLOSING = "closing"
    NEEDS_ATTENTION = "needs_attention"
    WILL_CLOSE = "will_close"
    OVERDUE = "overdue"
    """Its time is up, and it is being taken up."""
    BEING_READ = "being_read"
    """Its time is up; first its channel is read for an answer."""
    BEING_ASKED = "being_asked"
    """Its time does not run yet: the opener has not been asked, or not been told of the grace."""
    EXCLUDED = "excluded"
    NO_TIMER = "no_timer"
    """Its request waits for an answer, however long."""
    NOT_REQUESTED = "not_requested"
    REQUEST_OVER = "request_over"
    """Its last request was answered or withdrawn."""


@dataclass(frozen=True, slots=True)
class Explanation:
    outlook: Outlook
    closes_at: datetime | None = None
    user_id: int | None = None
    """Who asked, excluded, answered or closed, as the outlook has it. None is the bot."""
    in_grace: bool = False
    request_status: RequestStatus | None = None
    cause: CloseCause | None = None
    attention: Params = field(default_factory=dict[str, object])
    late_ms: int | None = None
    """Of a timed close: from the deadline to the decision."""
    end_late_ms: int | None = None
    """Of a timed close: from the deadline to its end."""
    steps_done: tuple[str, ...] = ()
    failures: int = 0
    error: Params | None = None
    next_attempt_at: datetime | None = None


def explain(
    ticket: Ticket,
    request: CloseRequest | None,
    events: Sequence[TicketEvent],
    effects: Sequence[PendingEffect],
    now: datetime,
) -> Explanation:
    if ticket.status is TicketStatus.CLOSED:
        return _closed(ticket, events)
    if ticket.attention is not None:
        return Explanation(
            Outlook.NEEDS_ATTENTION,
            attention=ticket.attention,
            closes_at=_pending_deadline(request),
            cause=ticket.close_cause,
        )
    if ticket.status is TicketStatus.CLOSING:
        return _closing(ticket, effects)
    return _open(ticket, request, events, effects, now)


def _closed(ticket: Ticket, events: Sequence[TicketEvent]) -> Explanation:
    late = {event.event: event.late_ms for event in events if event.late_ms is not None}
    is_timed = ticket.close_cause is CloseCause.EXPIRED
    return Explanation(
        Outlook.CLOSED,
        cause=ticket.close_cause,
        user_id=ticket.closed_by_id,
        late_ms=late.get("expired") if is_timed else None,
        end_late_ms=late.get("closed") if is_timed else None,
    )


def _closing(ticket: Ticket, effects: Sequence[PendingEffect]) -> Explanation:
    pending = {effect.kind for effect in effects}
    stuck = next((effect for effect in effects if effect.failures), None)
    return Explanation(
        Outlook.CLOSING,
        cause=ticket.close_cause,
        user_id=ticket.closed_by_id,
        steps_done=tuple(step for step in CLOSE_STEPS if step not in pending),
        failures=stuck.failures if stuck else 0,
        error=stuck.error if stuck else None,
        next_attempt_at=stuck.due_at if stuck else None,
    )


def _open(
    ticket: Ticket,
    request: CloseRequest | None,
    events: Sequence[TicketEvent],
    effects: Sequence[PendingEffect],
    now: datetime,
) -> Explanation:
    if ticket.exclude_from_autoclose:
        excluded = next((event for event in reversed(events) if event.event == "excluded"), None)
        return Explanation(Outlook.EXCLUDED, user_id=excluded.actor_id if excluded else None)
    if request is None:
        return Explanation(Outlook.NOT_REQUESTED)
    if request.status is not RequestStatus.PENDING:
        return Explanation(
            Outlook.REQUEST_OVER, request_status=request.status, user_id=request.resolved_by_id
        )
    if request.auto_close_at is None:
        return Explanation(Outlook.NO_TIMER, user_id=request.requested_by_id)
    pending = {effect.kind for effect in effects}
    return Explanation(
        _outlook_of_timer(request, pending, now),
        closes_at=request.auto_close_at,
        user_id=request.requested_by_id,
        in_grace=request.grace_at is not None,
    )


def _outlook_of_timer(request: CloseRequest, pending: set[str], now: datetime) -> Outlook:
    assert request.auto_close_at is not None
    if pending & {EffectKind.ASK, EffectKind.ANNOUNCE_GRACE}:
        return Outlook.BEING_ASKED
    if request.auto_close_at > now:
        return Outlook.WILL_CLOSE
    return Outlook.BEING_READ if EffectKind.READ_REPLIES in pending else Outlook.OVERDUE


def _pending_deadline(request: CloseRequest | None) -> datetime | None:
    is_pending = request is not None and request.status is RequestStatus.PENDING
    return request.auto_close_at if request is not None and is_pending else None
