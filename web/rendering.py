"""Templates: everything is escaped, and what is secret cannot be shown even by mistake."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import escape

from domains.formatting import (
    event_details,
    event_words,
    milliseconds,
    reason_words,
    step_words,
    timer_words,
)
from domains.monitoring.names import Names
from domains.ticket_lifecycle.models import TicketEvent
from web import formatting
from web.names import PLAIN

TEMPLATES = Path(__file__).parent / "templates"
SHORTEST_SECRET = 8
"""A shorter one may be a word that the pages use."""

MAX_QUOTING_DEPTH = 3
"""A job's payload is shown as JSON, and may quote an error that quotes an address."""

ACTOR = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands for who did it, until the words are there."""

Secrets = Callable[[], Iterable[str]]


class Renderer:
    def __init__(self, secrets: Secrets, names: Names) -> None:
        """`secrets` are asked for anew at every page: embedded servers know theirs only late."""
        self._secrets = secrets
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        cast("dict[str, object]", self._templates.globals)["names"] = names
        filters = cast("dict[str, object]", self._templates.filters)
        filters |= {
            "details": _details,
            "event": _event,
            "json_text": formatting.as_json,
            "milliseconds": milliseconds,
            "number": formatting.number,
            "reason": _reason,
            "percent": formatting.percent,
            "relative": formatting.relative,
            "step": _step,
            "timer": _timer,
        }

    def compile(self) -> None:
        """All of them, which takes longer than a page may keep others waiting."""
        for name in self._templates.list_templates():
            self._templates.get_template(name)

    def page(
        self, template: str, values: Mapping[str, object], *, status: int = 200
    ) -> web.Response:
        text = self._templates.get_template(f"{template}.html.jinja").render(values)
        return web.Response(text=self.redacted(text), content_type="text/html", status=status)

    def redacted(self, text: str) -> str:
        """A traceback may have come by an address with a password in it."""
        forms = {
            form
            for secret in self._secrets()
            if len(secret) >= SHORTEST_SECRET
            for form in _as_shown(secret)
        }
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, "***")
        return text


def _as_shown(secret: str) -> set[str]:
    """All its spellings on a page or in JSON. One that needs no escape has one."""
    spellings = {secret}
    for _ in range(MAX_QUOTING_DEPTH):
        spellings |= {quoted for each in spellings for quoted in _quoted(each)}
    return spellings | {str(escape(each)) for each in spellings}


def _quoted(text: str) -> tuple[str, ...]:
    """By JSON, and by Python, which escapes a quote only where there is one of the other kind."""
    return (
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        repr(text)[1:-1],
        repr("\"'" + text)[4:-1],
    )


@dataclass(frozen=True, slots=True)
class EventWords:
    """Around the one who did it, who is shown with more than words."""

    before: str
    has_actor: bool
    after: str


def _event(event: TicketEvent) -> EventWords:
    before, actor, after = event_words(event.event, ACTOR, PLAIN).partition(ACTOR)
    before = before[:1].upper() + before[1:]
    if not actor and event.operator is not None:
        return EventWords(f"{before} by ", has_actor=True, after="")
    return EventWords(before, bool(actor), after)


def _details(event: TicketEvent) -> str:
    return event_details(event.params, event.detail, PLAIN)


def _reason(reason: Mapping[str, object]) -> str:
    return reason_words(reason, PLAIN)


def _step(kind: str) -> str:
    return step_words(kind, PLAIN)


def _timer(kind: str) -> str:
    return timer_words(kind, PLAIN)
