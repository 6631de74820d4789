"""What an action said, shown once on the page that follows it. The address carries only a word
that means nothing, so nobody can make the dashboard say something by a link."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlencode

from aiohttp import web

KEPT = 100


class Tone(StrEnum):
    GOOD = "good"
    NEUTRAL = "neutral"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Notice:
    tone: Tone
    text: str = ""
    key: str = ""
    """Where there is no text: what it says, in the words of the templates."""
    values: Mapping[str, object] = field(default_factory=dict[str, object])


class Notices:
    def __init__(self) -> None:
        self._said: OrderedDict[str, Notice] = OrderedDict()

    def keep(self, notice: Notice) -> str:
        """The word to ask for it with."""
        word = secrets.token_urlsafe(9)
        self._said[word] = notice
        while len(self._said) > KEPT:
            self._said.popitem(last=False)
        return word

    def see(self, path: str, notice: Notice) -> web.HTTPSeeOther:
        """To be raised: leads to a page that says it."""
        said = urlencode({"said": self.keep(notice)})
        return web.HTTPSeeOther(f"{path}{'&' if '?' in path else '?'}{said}")

    def take(self, word: str) -> Notice | None:
        return self._said.pop(word, None)
