"""A language that there is not: English with letters that nobody uses.

Whoever reads it in a test reads nothing else, so what is plain English was not translated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from gettext import GNUTranslations, NullTranslations
from string import ascii_letters
from typing import Any, Final, cast

import pytest
from simcord import actors, interactions

from cogs import command_texts
from locales import DEFAULT_LOCALE, LOCALES, catalogue

PSEUDO: Final = "fr"
"""Discord and Babel know it, and we have no texts in it."""
FULL_WIDTH: Final = str.maketrans({letter: chr(ord(letter) + 0xFEE0) for letter in ascii_letters})
AS_IT_STANDS: Final = re.compile(r"({\w+}|`[^`]*`|<[^>]*>|https?://\S+|@everyone|\s/[a-z-]+)")
"""Placeholders, and what people are to type."""
TEXTS: Final = {"content", "title", "description", "label", "placeholder", "text", "topic"}
"""Where in Discord's JSON there is something to read; and where there is a `name` with a `value`:
fields of an embed, choices."""
WORD: Final = re.compile(r"[A-Za-z]{2,}")


class Pseudo(NullTranslations):
    def __init__(self, english: GNUTranslations) -> None:
        super().__init__()
        self._english = english

    def gettext(self, message: str) -> str:
        return _translated(message, self._english.gettext(message))

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return _translated(msgid1, self._english.ngettext(msgid1, msgid2, n))


def _translated(key: str, english: str) -> str:
    if english == key:
        return key
    parts = AS_IT_STANDS.split(english)
    parts[::2] = [part.translate(FULL_WIDTH) for part in parts[::2]]
    return "".join(parts)


def speak_pseudo(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on every member's Discord is in that language; a server's is if it is made so."""
    known = catalogue.catalogue
    pseudo = Pseudo(known(DEFAULT_LOCALE))
    monkeypatch.setattr(
        catalogue, "catalogue", lambda locale: pseudo if locale == PSEUDO else known(locale)
    )
    for module in (catalogue, command_texts):
        monkeypatch.setattr(module, "LOCALES", (*LOCALES, PSEUDO))
    base_payload = interactions.base_payload

    def in_pseudo(*args: Any, **named: Any) -> Any:
        record, payload = base_payload(*args, **named)
        payload["locale"] = PSEUDO
        return record, payload

    monkeypatch.setattr(actors._interactions, "base_payload", in_pseudo)


def plain_english(body: object, names: set[str]) -> Iterator[str]:
    """What is to be read in a request to Discord, and has English words in it that are no names."""
    for said in _read(body):
        rest = AS_IT_STANDS.sub("", said)
        for name in sorted(names, key=len, reverse=True):
            rest = rest.replace(name, "")
        if WORD.search(rest):
            yield said


def _read(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for each in cast("list[object]", node):
            yield from _read(each)
    if isinstance(node, dict):
        entries = cast("dict[str, object]", node)
        texts = TEXTS | ({"name"} if "value" in entries else set())
        texts |= {"value"} if "inline" in entries else set()
        for key, value in entries.items():
            if isinstance(value, str) and key in texts:
                yield value
            else:
                yield from _read(value)
