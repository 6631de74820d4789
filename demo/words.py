"""The page's own words: one file a language. What the bot says comes from the bot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FILES = Path(__file__).parent / "texts"
LOCALES = {"en": "en-US", "de": "de"}
"""The languages, and what Discord calls them."""
DEFAULT = "en"


class Words:
    def __init__(self, language: str) -> None:
        self.language = language if language in LOCALES else DEFAULT
        self.locale = LOCALES[self.language]
        self._texts = texts_of(self.language)

    def __call__(self, key: str, **values: object) -> str:
        return self._texts[key].format(**values)

    def count(self, key: str, number: int) -> str:
        """`key.one` or `key.other`."""
        return self(f"{key}.one" if number == 1 else f"{key}.other", n=number)

    def lateness(self, late_ms: int) -> str:
        """`12 ms`, or `1.3 s`."""
        if abs(late_ms) < 1000:
            return f"{late_ms} ms"
        return f"{late_ms / 1000:.1f} s".replace(".", self("decimal"))


@cache
def texts_of(language: str) -> Mapping[str, str]:
    return json.loads((FILES / f"{language}.json").read_text(encoding="utf-8"))


def preferred(accepted: str) -> str:
    """The first of a browser's Accept-Language that there is."""
    for part in accepted.split(","):
        language = part.split(";")[0].strip().split("-")[0].lower()
        if language in LOCALES:
            return language
    return DEFAULT
