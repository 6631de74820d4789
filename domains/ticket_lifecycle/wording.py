"""An explanation in words. Discord, pages, shell and log write people and moments their own way."""

from __future__ import annotations

from domains.formatting import Style, cause_words, milliseconds, reason_words, step_words
from domains.retry_policy import MAX_ATTEMPTS
from domains.ticket_lifecycle.explanation import Explanation, Outlook
from locales import Text


def outlook_words(explanation: Explanation, style: Style) -> str:
    """Whole sentences."""
    sentences = _sentences(explanation, style)
    return " ".join(sentence.in_locale(style.locale) for sentence in sentences)


def _sentences(explanation: Explanation, style: Style) -> list[Text]:
    by = style.user(explanation.user_id)
    at = style.moment(explanation.closes_at) if explanation.closes_at else ""
    match explanation.outlook:
        case Outlook.CLOSED:
            return _closed(explanation, by, style)
        case Outlook.CLOSING:
            return _closing(explanation, style)
        case Outlook.NEEDS_ATTENTION:
            why = reason_words(explanation.attention, style)
            deadline = [Text("outlook.its_deadline", {"at": at})] if at else []
            return [Text("outlook.needs_attention", {"why": why}), *deadline]
        case Outlook.REQUEST_OVER:
            assert explanation.request_status is not None
            return [Text(f"outlook.request_{explanation.request_status.value}", {"by": by})]
        case outlook:
            grace = [Text("outlook.in_grace")] if explanation.in_grace else []
            is_to_come = outlook is Outlook.WILL_CLOSE
            sentence = Text(f"outlook.{outlook.value}", {"by": by, "at": at})
            return [sentence, *(grace if is_to_come else [])]


def _closed(explanation: Explanation, by: str, style: Style) -> list[Text]:
    if explanation.cause is None:
        return [Text("outlook.closed"), *_lateness(explanation, style)]
    cause = cause_words(explanation.cause.value, by, style)
    return [Text("outlook.closed_because", {"cause": cause}), *_lateness(explanation, style)]


def _lateness(explanation: Explanation, style: Style) -> list[Text]:
    late = {
        name: milliseconds(late_ms, style.locale)
        for name, late_ms in (("decided", explanation.late_ms), ("gone", explanation.end_late_ms))
        if late_ms is not None
    }
    return [Text(f"outlook.{'_and_'.join(late)}_late", late)] if late else []


def _closing(explanation: Explanation, style: Style) -> list[Text]:
    done = [step_words(step, style) for step in explanation.steps_done]
    closing = Text("outlook.closing", {"done": done}) if done else Text("outlook.closing_first")
    if not explanation.failures or explanation.next_attempt_at is None:
        return [closing]
    failed = {
        "count": explanation.failures,
        "most": MAX_ATTEMPTS,
        "why": reason_words(explanation.error or {}, style),
        "at": style.moment(explanation.next_attempt_at),
    }
    return [closing, Text("outlook.closing_failed", failed)]
