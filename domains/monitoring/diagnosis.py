"""Why a ticket will close, does not, or did: the one sentence that an operator came for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from domains.scheduled_task.inspection import JobState, JobView
from domains.formatting import duration as in_words
from domains.ticket_lifecycle.models import (
    CloseCause,
    CloseRequest,
    RequestStatus,
    Ticket,
    TicketEvent,
    TicketStatus,
)

_CAUSES = {
    CloseCause.ACCEPTED: "the opener accepted the close request",
    CloseCause.EXPIRED: "the opener did not answer in time",
    CloseCause.COMMAND: "somebody closed it by command",
    CloseCause.CHANNEL_DELETED: "its channel was deleted by hand",
    CloseCause.WITHOUT_REDIS: "there was no Redis to wait with (AUTO_CLOSE_WITHOUT_REDIS)",
}
_ANSWERS = {
    RequestStatus.ACCEPTED: "was accepted",
    RequestStatus.DENIED: "was denied",
    RequestStatus.EXPIRED: "ran out",
    RequestStatus.WITHDRAWN: "was withdrawn",
    RequestStatus.ANSWERED: "was answered: the opener wrote in the ticket",
    RequestStatus.SUPERSEDED: "was replaced by a newer one",
    RequestStatus.CLOSED: "is over: the ticket was closed",
}


def diagnose(
    ticket: Ticket,
    request: CloseRequest | None,
    events: Sequence[TicketEvent],
    jobs: Sequence[JobView] | None,
    now: datetime,
) -> str:
    """`jobs` are those about the ticket; None while Redis is away."""
    if ticket.status is TicketStatus.CLOSED:
        return _how_it_closed(ticket, events)
    if ticket.attention:
        return f"A person is needed: {ticket.attention}"
    if ticket.status is TicketStatus.CLOSING:
        return _how_far_it_is(ticket, events)
    why_not = _why_no_timer(ticket, request)
    if why_not is not None or request is None or request.auto_close_at is None:
        return why_not or ""
    left = request.auto_close_at - now
    if left > timedelta(0):
        return f"It closes in {in_words(left)}, unless the opener answers. {_its_alarm(jobs)}"
    return f"Its time was up {in_words(-left)} ago. {_what_keeps_it(jobs)}"


def _why_no_timer(ticket: Ticket, request: CloseRequest | None) -> str | None:
    by_itself = "It does not close by itself"
    if ticket.exclude_from_autoclose:
        return f"{by_itself}: it is excluded from auto-close."
    if request is None:
        return f"{by_itself}: nobody has asked to close it."
    if request.status is not RequestStatus.PENDING:
        return f"{by_itself}: the last request {_ANSWERS[request.status]}."
    if request.auto_close_at is None:
        return "It waits for the opener's answer: the close request has no timer."
    if not request.announced:
        return "Its time does not run yet: Discord failed so far to ask the opener."
    return None


def _how_it_closed(ticket: Ticket, events: Sequence[TicketEvent]) -> str:
    cause = _CAUSES.get(ticket.close_cause) if ticket.close_cause else None
    late = next((e.late_ms for e in reversed(events) if e.late_ms is not None), None)
    timed = ticket.close_cause is CloseCause.EXPIRED and late is not None
    return (
        "It is closed"
        + (f": {cause}" if cause else "")
        + (f", and the close began {late} ms after the deadline" if timed else "")
        + "."
    )


def _how_far_it_is(ticket: Ticket, events: Sequence[TicketEvent]) -> str:
    steps = list(CloseStep)
    done = steps[: steps.index(ticket.close_step) + 1] if ticket.close_step else []
    so_far = ", ".join(_STEPS[step] for step in done) or "nothing"
    told = f"It is being closed; done so far: {so_far}."
    if ticket.close_retry_at is None:
        return told
    why = next((e.detail for e in reversed(events) if e.event == "close_failed"), None)
    return (
        f"{told} Attempts that failed: {ticket.close_failures} of {MAX_CLOSE_ATTEMPTS}, "
        f"the last with {why}. The next is due at {_clock(ticket.close_retry_at)}."
    )


def _retry(jobs: Sequence[JobView] | None) -> str:
    waiting = next((job for job in jobs or () if job.waits_for_retry), None)
    if waiting is None:
        return ""
    return f"The next attempt comes at {_clock(waiting.due)}, after: {waiting.error_line}"


def _its_alarm(jobs: Sequence[JobView] | None) -> str:
    if jobs is None:
        return "Redis is away, so PostgreSQL keeps the deadline."
    if any(job.state in (JobState.DELAYED, JobState.WAITING, JobState.ACTIVE) for job in jobs):
        return "Its alarm is set."
    return "Its alarm is missing; reconciliation sets it within a minute."


def _what_keeps_it(jobs: Sequence[JobView] | None) -> str:
    if jobs is None:
        return "Redis is away; the watch over deadlines takes it up within seconds."
    by_state = {job.state: job for job in jobs}
    if JobState.ACTIVE in by_state:
        return "It is being closed at this moment."
    if JobState.WAITING in by_state:
        return "Its job waits for a free worker."
    if JobState.DELAYED in by_state:
        return _retry(jobs) or "Its job is set for another time; the watch takes it up."
    if JobState.FAILED in by_state:
        return f"Its job has failed for good: {by_state[JobState.FAILED].error_line}"
    return "It has no job; the watch over deadlines gives it one within seconds."


def _clock(moment: datetime | None) -> str:
    return f"{moment:%H:%M:%S} UTC" if moment else "once"
