"""The page: its templates, and the policy that lets in its own style and pictures alone."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from domains.transcripts import times
from domains.transcripts.conversation import MessageView
from domains.transcripts.manifest import ATTACHMENTS_NAME
from domains.transcripts.models import TranscriptHeader

TEMPLATES = Path(__file__).parent / "templates"

# HTML has no place for them, and an editor or terminal that shows the file may obey them.
CONTROLS = dict.fromkeys([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0)])


@dataclass(frozen=True, slots=True)
class Totals:
    messages: int
    attachments: int
    missed: int


class PageRenderer:
    """Thread-safe: nothing changes after construction."""

    def __init__(self) -> None:
        templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        templates.filters |= {
            "clock": times.clock,
            "day": times.day,
            "full": times.full,
            "machine": times.machine,
            "duration": times.duration,
            "attachment_url": _attachment_url,
        }
        self._page = templates.get_template("transcript.html.jinja")
        self._messages = templates.get_template("messages.html.jinja")
        self._style = (TEMPLATES / "transcript.css").read_text(encoding="utf-8")

    def messages(self, views: Sequence[MessageView]) -> str:
        """A piece of the page, to be given back to `page` later."""
        return self._messages.render(messages=views)

    def page(
        self, header: TranscriptHeader, totals: Totals, pieces: Iterable[str]
    ) -> Iterator[str]:
        chunks = self._page.generate(
            header=header,
            totals=totals,
            pieces=(Markup(piece) for piece in pieces),  # noqa: S704 - rendered by `messages`
            style=Markup(self._style),  # noqa: S704 - our own file
            policy=self._policy(),
        )
        return (chunk.translate(CONTROLS) for chunk in chunks)

    def _policy(self) -> str:
        digest = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        return (
            f"default-src 'none'; img-src 'self'; style-src 'sha256-{digest}'; "
            "base-uri 'none'; form-action 'none'"
        )


def _attachment_url(stored_name: str) -> str:
    return f"{ATTACHMENTS_NAME}/{quote(stored_name)}"
