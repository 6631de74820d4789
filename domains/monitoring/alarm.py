"""What becomes of a ticket's timer in Redis: for an operator, beside the explanation."""

from __future__ import annotations

from collections.abc import Sequence

from domains.formatting import PlainStyle
from domains.scheduled_task.inspection import JobState, JobView
from domains.ticket_lifecycle.explanation import Explanation, Outlook


def alarm_words(  # noqa: PLR0911  # a table
    explanation: Explanation, jobs: Sequence[JobView] | None
) -> str:
    """`jobs` are those about the ticket; None while Redis is away. Empty where no alarm matters."""
    if explanation.outlook not in (Outlook.WILL_CLOSE, Outlook.OVERDUE):
        return ""
    if jobs is None:
        return "Redis is away, so PostgreSQL keeps the deadline."
    by_state = {job.state: job for job in jobs}
    if JobState.ACTIVE in by_state:
        return "Its job runs at this moment."
    if JobState.WAITING in by_state:
        return "Its job waits for a free worker."
    if (delayed := by_state.get(JobState.DELAYED)) is not None:
        if not delayed.waits_for_retry or delayed.due is None:
            return "Its alarm is set."
        due = PlainStyle().moment(delayed.due)
        return f"The next attempt comes at {due}, after: {delayed.error_line}"
    if (failed := by_state.get(JobState.FAILED)) is not None:
        return f"Its job has failed for good: {failed.error_line}"
    return "Its alarm is missing; it is set again within a minute."
