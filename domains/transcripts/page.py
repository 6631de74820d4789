"""The page: its templates, and the policy that lets in its own style and pictures alone."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from domains.transcripts import times
from domains.transcripts.conversation import MessageView
from domains.transcripts.manifest import ATTACHMENTS_NAME
from domains.transcripts.models import TranscriptHeader
from domains.transcripts.participants import Participant
from locales import DEFAULT_LOCALE, text

TEMPLATES = Path(__file__).parent / "templates"
MAX_PARTICIPANTS = 30
"""Who are named in the head; the others are counted."""

# HTML has no place for them, and an editor or terminal that shows the file may obey them.
CONTROLS = dict.fromkeys([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0)])


@dataclass(frozen=True, slots=True)
class Contents:
    """What is known once all messages have come."""

    messages: int
    attachments: int
    missed: int
    participants: Sequence[Participant] = ()
    colours: Collection[int] = ()
    """Those that its messages show: 0xRRGGBB."""


class PageRenderer:
    """For pages in one language. Thread-safe: nothing changes after construction."""

    def __init__(self, locale: str = DEFAULT_LOCALE) -> None:
        self._locale = locale
        templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        templates.filters |= {
            "clock": times.clock,
            "day": partial(times.day, locale=locale),
            "full": partial(times.full, locale=locale),
            "edited": partial(times.edited, locale=locale),
            "machine": times.machine,
            "span": partial(times.span, locale=locale),
            "lateness": partial(times.lateness, locale=locale),
            "size": partial(times.size, locale=locale),
            "attachment_url": _attachment_url,
        }
        functions = {"t": partial(_sentence, locale)}
        self._page = templates.get_template("transcript.html.jinja", globals=functions)
        self._messages = templates.get_template("messages.html.jinja", globals=functions)
        self._style = (TEMPLATES / "transcript.css").read_text(encoding="utf-8")

    def messages(self, views: Sequence[MessageView]) -> str:
        """A piece of the page, to be given back to `page` later."""
        return self._messages.render(messages=views, locale=self._locale)

    def page(
        self, header: TranscriptHeader, contents: Contents, pieces: Iterable[str]
    ) -> Iterator[str]:
        style = self._style + "".join(map(_colour_rule, sorted(contents.colours)))
        named = contents.participants[:MAX_PARTICIPANTS]
        chunks = self._page.generate(
            header=header,
            locale=self._locale,
            contents=contents,
            participants=named,
            more_participants=len(contents.participants) - len(named),
            pieces=(Markup(piece) for piece in pieces),  # noqa: S704 - rendered by `messages`
            style=Markup(style),  # noqa: S704 - our own file
            policy=_policy(style),
        )
        return (chunk.translate(CONTROLS) for chunk in chunks)


@cache
def page_renderer(locale: str) -> PageRenderer:
    """Made at the first save in a language: it reads its templates."""
    return PageRenderer(locale)


def _colour_rule(colour: int) -> str:
    """A style attribute would need a policy that lets in anybody's."""
    name = f"{colour & 0xFFFFFF:06x}"
    return f".colour-{name} {{ --bar: #{name}; }}\n"


def _policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; img-src 'self'; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _sentence(locale: str, key: str, **values: object) -> Markup:
    """`transcript.{key}`, around values that are markup, or are escaped."""
    left_open: dict[str, object] = {name: f"{{{name}}}" for name in values}
    if isinstance(count := values.get("count"), int):
        left_open["count"] = count
    sentence = text(f"transcript.{key}", locale, **left_open)
    return Markup(escape(sentence)).format(**values)  # noqa: S704 - escaped


def _attachment_url(stored_name: str) -> str:
    return f"{ATTACHMENTS_NAME}/{quote(stored_name)}"
