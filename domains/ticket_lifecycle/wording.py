"""An explanation in words. Discord, pages, shell and log write people and moments their own way."""

from __future__ import annotations

from domains.formatting import CAUSES, REQUEST_STATUSES, STEPS, Style, milliseconds, reason_words
from domains.retry_policy import MAX_ATTEMPTS
from domains.ticket_lifecycle.explanation import Explanation, Outlook


def outlook_words(explanation: Explanation, style: Style) -> str:  # noqa: PLR0911  # a table
    """Whole sentences."""
    by = style.user(explanation.user_id)
    at = style.moment(explanation.closes_at) if explanation.closes_at else ""
    match explanation.outlook:
        case Outlook.CLOSED:
            return _closed(explanation, by)
        case Outlook.CLOSING:
            return _closing(explanation, style)
        case Outlook.NEEDS_ATTENTION:
            deadline = f" Its deadline is {at}." if at else ""
            return f"A person is needed: {reason_words(explanation.attention, style)}.{deadline}"
        case Outlook.WILL_CLOSE:
            grace = " It is in grace after an outage." if explanation.in_grace else ""
            return f"It closes {at}, as {by} asked, unless the member answers.{grace}"
        case Outlook.OVERDUE:
            return f"Its time was up {at}, and it is being taken up."
        case Outlook.BEING_READ:
            return f"Its time was up {at}; what the member may have written is read first."
        case Outlook.BEING_ASKED:
            return "Its time does not run yet: the member has not been told so far."
        case Outlook.EXCLUDED:
            return f"It does not close by itself: {by} excluded it from auto-close."
        case Outlook.NO_TIMER:
            return "It waits for the member's answer: the close request has no timer."
        case Outlook.NOT_REQUESTED:
            return "It does not close by itself: nobody has asked to close it."
        case Outlook.REQUEST_OVER:
            assert explanation.request_status is not None
            how = REQUEST_STATUSES[explanation.request_status.value].format(by=by)
            return f"It does not close by itself: the last close request {how}."


def _closed(explanation: Explanation, by: str) -> str:
    cause = CAUSES[explanation.cause.value].format(by=by) if explanation.cause else ""
    late = ""
    if explanation.late_ms is not None:
        late = f"; decided {milliseconds(explanation.late_ms)} after the deadline"
    if explanation.end_late_ms is not None:
        late += f", gone {milliseconds(explanation.end_late_ms)} after it"
    return f"It is closed{': ' if cause else ''}{cause}{late}."


def _closing(explanation: Explanation, style: Style) -> str:
    done = ", ".join(STEPS[step] for step in explanation.steps_done) or "nothing"
    text = f"It is being closed; done so far: {done}."
    if not explanation.failures or explanation.next_attempt_at is None:
        return text
    why = reason_words(explanation.error or {}, style)
    return (
        f"{text} Attempts that failed: {explanation.failures} of {MAX_ATTEMPTS}, the last with: "
        f"{why}. The next is due {style.moment(explanation.next_attempt_at)}."
    )
