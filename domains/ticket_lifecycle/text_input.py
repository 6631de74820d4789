"""Cleaning up text that people typed, before it is stored."""

from __future__ import annotations

import unicodedata
from typing import Final

MAX_REASON_LENGTH = 255
MAX_MARKS = 4
"""On one letter, in a row: enough for every language, and too few to climb over other lines."""

_INVISIBLE: Final = {"Cc", "Cf", "Cn", "Cs", "Me", "Mn", "Zl", "Zp", "Zs"}
_BLANK_LETTERS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and a symbol by their category, with nothing to see."""


def sanitize(text: str | None, limit: int) -> str:
    """Trimmed and cut; empty if there is nothing in it to see.

    PostgreSQL's text holds all but the zero byte and half a surrogate pair.
    """
    whole = (text or "").encode(errors="ignore").decode()
    clean = _without_piles(whole.replace("\0", "").strip())[:limit]
    return clean if any(map(_is_visible, clean)) else ""


def _is_visible(character: str) -> bool:
    return character not in _BLANK_LETTERS and unicodedata.category(character) not in _INVISIBLE


def _without_piles(text: str) -> str:
    """Without the marks that are too many on their letter."""
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in {"Me", "Mn"} else 0
        if marks <= MAX_MARKS:
            kept.append(character)
    return "".join(kept)
