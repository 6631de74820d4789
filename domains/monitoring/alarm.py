"""What became of a timer's job in Redis: one more sentence, for an operator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domains.formatting import Style
from domains.scheduled_task.inspection import JobState, JobView
from domains.scheduled_task.timer import Timer


def alarm_words(timer: Timer, jobs: Sequence[JobView] | None, now: datetime, style: Style) -> str:
    """`jobs` are those about the timer's owner; None while Redis is away."""
    is_overdue = timer.due <= now
    if jobs is None:
        return _without_redis(is_overdue=is_overdue)
    job = next((job for job in jobs if job.key == timer.key), None)
    match job:
        case JobView(state=JobState.ACTIVE):
            return "Its job is running."
        case JobView(state=JobState.WAITING):
            return "Its job waits for a free worker."
        case JobView(state=JobState.DELAYED):
            return _delayed(job, style, is_overdue=is_overdue)
        case JobView(state=JobState.FAILED):
            return f"Its job has failed for good: {style.text(job.error_line)}"
        case _:
            return _missing(is_overdue=is_overdue)


def _without_redis(*, is_overdue: bool) -> str:
    if is_overdue:
        return "Redis is away; the watch over deadlines takes it up within seconds."
    return "Redis is away, so PostgreSQL keeps the deadline."


def _delayed(job: JobView, style: Style, *, is_overdue: bool) -> str:
    at = style.moment(job.due) if job.due else "soon"
    if job.waits_for_retry:
        return f"The next attempt comes {at}, after: {style.text(job.error_line)}"
    return f"Its job comes back {at}." if is_overdue else "Its alarm is set."


def _missing(*, is_overdue: bool) -> str:
    if is_overdue:
        return "It has no job; the watch over deadlines gives it one within seconds."
    return "Its alarm is missing; reconciliation sets it within a minute."
