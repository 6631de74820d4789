"""What an action said, shown once on the page that follows it. The address carries only a word
that means nothing, so nobody can make the dashboard say something by a link."""

from __future__ import annotations

import secrets
from collections import OrderedDict

KEPT = 100


class Notices:
    def __init__(self) -> None:
        self._said: OrderedDict[str, str] = OrderedDict()

    def keep(self, text: str) -> str:
        """The word to ask for it with."""
        word = secrets.token_urlsafe(9)
        self._said[word] = text
        while len(self._said) > KEPT:
            self._said.popitem(last=False)
        return word

    def take(self, word: str) -> str | None:
        return self._said.pop(word, None)
