"""Durations, events, statuses and reasons in words: the one place for them.

`Style` says how a person and a moment are written where the words are read: as a mention and a
timestamp in Discord, as a number and a time on a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, cast

from locales import DEFAULT_LOCALE

_UNITS: Final = (
    (86_400, "day", "d"),
    (3_600, "hour", "h"),
    (60, "minute", "min"),
    (1, "second", "s"),
)


def duration(span: timedelta) -> str:
    """`1 minute`, `1 hour 30 minutes`, `30 days`: whole seconds, no zero parts."""
    seconds = round(span.total_seconds())
    parts: list[str] = []
    for size, unit, _ in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}" if count == 1 else f"{count} {unit}s")
    return " ".join(parts) or "0 seconds"


def short_duration(span: timedelta) -> str:
    """The two largest units: `3 h 12 min`."""
    rest = int(abs(span.total_seconds()))
    parts: list[str] = []
    for size, _, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"


def milliseconds(number: float) -> str:
    """`4 ms`, `1.2 s`, `3 min 20 s`."""
    if number < 1_000:
        return f"{number:.0f} ms"
    if number < 60_000:
        return f"{number / 1_000:.3g} s"
    return short_duration(timedelta(milliseconds=number))


class Style(Protocol):
    @property
    def locale(self) -> str: ...

    def user(self, user_id: int | None) -> str:
        """None is the bot, 0 an operator, who is nobody on Discord."""
        ...

    def moment(self, moment: datetime) -> str: ...

    def text(self, text: str) -> str:
        """What somebody typed, made safe to show."""
        ...


@dataclass(frozen=True, slots=True)
class PlainStyle:
    """For pages and the shell."""

    locale: str = DEFAULT_LOCALE

    def user(self, user_id: int | None) -> str:
        if user_id is None:
            return "the bot"
        return f"user {user_id}" if user_id else "an operator"

    def moment(self, moment: datetime) -> str:
        return f"{moment:%Y-%m-%d %H:%M:%S} UTC"

    def text(self, text: str) -> str:
        return text


EVENTS: Final = {
    "opened": "opened by {by}",
    "close_requested": "{by} asked to close it",
    "could_not_ask": "the member could not be asked; taken back",
    "accepted": "{by} accepted",
    "denied": "{by} denied",
    "withdrawn": "{by} withdrew the request",
    "answered": "the member wrote: the timer is off",
    "expired": "time was up",
    "extended": "{by} asked for more time",
    "grace": "a grace was given",
    "reminded": "the member was reminded",
    "excluded": "excluded by {by}",
    "included": "included again by {by}",
    "closing": "{by} closes it",
    "close_failed": "an attempt to close it failed",
    "attempt_failed": "an attempt failed",
    "attention": "needs attention",
    "retried": "tried again",
    "closed": "closed",
    "left_server": "the bot has left the server",
    "forgotten": "a member was forgotten: their words and id are gone",
}
CAUSES: Final = {
    "accepted": "{by} accepted the close request",
    "expired": "the member did not answer in time",
    "command": "{by} closed it",
    "channel_deleted": "its channel was deleted by hand",
    "without_redis": "{by} asked, and there was no scheduler to wait with",
    "left_server": "the bot is no longer in the server",
}
REQUEST_STATUSES: Final = {
    "pending": "is pending",
    "accepted": "was accepted by {by}",
    "denied": "was denied by {by}",
    "expired": "ran out",
    "withdrawn": "was withdrawn by {by}",
    "answered": "was answered: the member wrote in the ticket",
    "superseded": "was replaced by a newer one",
    "closed": "is over: the ticket was closed",
}
TIMERS: Final = {
    "auto-close": "Closes",
    "send-reminder": "The member is reminded",
    "end-block": "The block ends",
    "cleanup-old-tickets": "What is too old is deleted",
}
STEPS: Final = {
    "save-transcript": "the transcript",
    "log-close": "the log message",
    "dm-opener": "the member's DM",
    "remove-channel": "the channel's end",
    "read-replies": "reading what the member wrote",
    "ask": "the question to the member",
    "announce-grace": "the announcement of the grace",
    "open-channel": "opening the channel",
    "welcome": "the first message",
    "sync-request": "the close request's message",
    "announce-answer": "the word that the member answered",
    "announce-extension": "the word that there is more time",
    "remind-in-ticket": "the reminder in the ticket",
    "remind-by-dm": "the reminder by DM",
    "report-attention": "the call for a person",
}
"""All that Discord is told, by the kinds of effects."""


def event_words(event: str, by: str, style: Style) -> str:  # noqa: ARG001
    return EVENTS.get(event, event).format(by=by)


def cause_words(cause: str, by: str, style: Style) -> str:  # noqa: ARG001
    """What brought a close about; `by` is who did it."""
    return CAUSES.get(cause, cause).format(by=by)


def step_words(step: str, style: Style) -> str:  # noqa: ARG001
    """An effect by its kind."""
    return STEPS.get(step, step)


def timer_words(kind: str, style: Style) -> str:  # noqa: ARG001
    """What happens when a timer of this kind fires: `Closes`."""
    return TIMERS.get(kind, kind)


def event_details(  # noqa: PLR0911  # a table
    params: Mapping[str, object], detail: str | None, style: Style
) -> str:
    """What there is to add to an event, or nothing."""
    if detail:
        return style.text(detail)
    if isinstance(reason := params.get("reason"), str):
        return style.text(reason)
    if isinstance(seconds := params.get("seconds"), int):
        return duration(timedelta(seconds=seconds))
    if isinstance(seconds := params.get("outage_seconds"), int):
        return f"after an outage of {duration(timedelta(seconds=seconds))}"
    if "code" in params:
        step = STEPS.get(str(params.get("step")))
        return f"{step}: {reason_words(params, style)}" if step else reason_words(params, style)
    if isinstance(cause := params.get("cause"), str) and cause not in ("command", "accepted"):
        return CAUSES.get(cause, cause).format(by="")
    return ""


def reason_words(reason: Mapping[str, object], style: Style) -> str:
    """An error's or an attention's code with its parameters, in words; no full stop."""
    text = str(reason.get("text") or "")
    match reason.get("code"):
        case "permission_missing":
            names = ", ".join(str(name) for name in cast("list[object]", reason["permissions"]))
            place = reason.get("place")
            where = f" in {style.text(str(place))}" if place else ""
            return f"the bot lacks the permission {names}{where}"
        case "close_keeps_failing":
            error = cast("Mapping[str, object]", reason["error"])
            return f"the close keeps failing: {reason_words(error, style)}"
        case "keeps_failing":
            error = cast("Mapping[str, object]", reason["error"])
            step = str(reason.get("step"))
            return f"{STEPS.get(step, step)} keeps failing: {reason_words(error, style)}"
        case "unexpected":
            return style.text(f"{reason.get('type')}: {text}")
        case _:
            return style.text(text or str(reason.get("code")))
