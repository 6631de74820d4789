"""Events, causes, steps, timers and reasons in words: the one place for them.

`Style` says how a person and a moment are written where the words are read, and in which language:
as a mention and a timestamp in Discord, as a number and a time on a page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, cast

from locales import (
    DEFAULT_LOCALE,
    Text,
    Typed,
    duration,
    is_known,
    milliseconds,
    short_duration,
    text,
)

__all__ = [
    "PlainStyle",
    "Style",
    "cause_words",
    "duration",
    "event_details",
    "event_words",
    "milliseconds",
    "permission_texts",
    "reason_text",
    "reason_words",
    "short_duration",
    "step_words",
    "timer_words",
]


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
            return text("people.bot", self.locale)
        if not user_id:
            return text("people.operator", self.locale)
        return text("people.user", self.locale, id=user_id)

    def moment(self, moment: datetime) -> str:
        return f"{moment:%Y-%m-%d %H:%M:%S} UTC"

    def text(self, text: str) -> str:
        return text


def event_words(event: str, by: str, style: Style) -> str:
    """What happened to a ticket; `by` is who did it."""
    return _words("events", event, style, by=by)


def cause_words(cause: str, by: str, style: Style) -> str:
    """What brought a close about; `by` is who did it."""
    return _words("causes", cause, style, by=by)


def step_words(step: str, style: Style) -> str:
    """An effect by its kind."""
    return _words("steps", step, style)


def timer_words(kind: str, style: Style) -> str:
    """What happens when a timer of this kind fires: `Closes`."""
    return _words("timer_kinds", kind, style)


def _words(surface: str, name: str, style: Style, **values: object) -> str:
    """What a newer version wrote into the database is called by its name."""
    key = f"{surface}.{name}"
    return text(key, style.locale, **values) if is_known(key) else name


def event_details(  # noqa: PLR0911  # a table
    params: Mapping[str, object], detail: str | None, style: Style
) -> str:
    """What there is to add to an event, or nothing."""
    if detail:
        return style.text(detail)
    if isinstance(reason := params.get("reason"), str):
        return style.text(reason)
    if isinstance(seconds := params.get("seconds"), int):
        return duration(timedelta(seconds=seconds), style.locale)
    if isinstance(seconds := params.get("outage_seconds"), int):
        return text("events.after_outage", style.locale, outage=timedelta(seconds=seconds))
    if "code" in params:
        return _in_style(_reason_in_step(params), style)
    if isinstance(cause := params.get("cause"), str) and cause not in ("command", "accepted"):
        return cause_words(cause, "", style)
    return ""


def reason_words(reason: Mapping[str, object], style: Style) -> str:
    """An error's or an attention's code with its parameters, in words; no full stop."""
    return _in_style(reason_text(reason), style)


def reason_text(reason: Mapping[str, object]) -> Text:  # a table
    """`reason_words`, before it is known who reads it."""
    match reason.get("code"):
        case "permission_missing":
            return _permission_missing(reason)
        case "close_keeps_failing":
            return Text("reasons.close_keeps_failing", {"error": _error_of(reason)})
        case "keeps_failing":
            step = _step_text(str(reason.get("step")))
            return Text("reasons.keeps_failing", {"step": step, "error": _error_of(reason)})
        case "unexpected":
            said = f"{reason.get('type')}: {reason.get('text') or ''}"
            return Text("reasons.as_said", {"text": Typed(said)})
        case code if is_known(f"reasons.{code}"):
            return Text(f"reasons.{code}", reason)
        case code:
            return Text("reasons.as_said", {"text": Typed(reason.get("text") or code)})


def permission_texts(permissions: Sequence[object]) -> list[Text]:
    """By the names that Discord's own settings have; older versions stored the English ones."""
    return [
        Text(key)
        if is_known(key := f"permissions.{permission}")
        else Text("reasons.as_said", {"text": permission})
        for permission in permissions
    ]


def _permission_missing(reason: Mapping[str, object]) -> Text:
    permissions = cast("list[object]", reason["permissions"])
    values = {"permissions": permission_texts(permissions), "count": len(permissions)}
    if place := reason.get("place"):
        return Text("reasons.permission_missing_in", values | {"place": Typed(place)})
    return Text("reasons.permission_missing", values)


def _error_of(reason: Mapping[str, object]) -> Text:
    return reason_text(cast("Mapping[str, object]", reason["error"]))


def _reason_in_step(params: Mapping[str, object]) -> Text:
    step = str(params.get("step"))
    if not is_known(f"steps.{step}"):
        return reason_text(params)
    return Text("reasons.in_step", {"step": _step_text(step), "error": reason_text(params)})


def _step_text(step: str) -> Text:
    key = f"steps.{step}"
    return Text(key) if is_known(key) else Text("reasons.as_said", {"text": step})


def _in_style(reason: Text, style: Style) -> str:
    return reason.with_typed(style.text).in_locale(style.locale)
