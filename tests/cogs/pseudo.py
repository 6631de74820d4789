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
from simcord import interactions

from cogs import command_texts
from locales import DEFAULT_LOCALE, LOCALES, catalogue

PSEUDO: Final = "fr"
"""Discord and Babel know it, and we have no texts in it."""
FULL_WIDTH: Final = str.maketrans({letter: chr(ord(letter) + 0xFEE0) for letter in ascii_letters})
AS_IT_STANDS: Final = re.compile(
    r"({\w+}|`[^`]*`|<[^>]*>|https?://\S+|@everyone|\s/[a-z-]+|Ref [0-9a-f-]+)"
)
"""Placeholders, what people are to type, and what our own messages are told by."""
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
    return key if english == key else in_pseudo(english)


def in_pseudo(english: str) -> str:
    parts = AS_IT_STANDS.split(english)
    parts[::2] = [part.translate(FULL_WIDTH) for part in parts[::2]]
    return "".join(parts)


def speak_pseudo(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on every member's Discord is in that language; a server's is if it is made so."""
    known = catalogue.catalogue
    pseudo = Pseudo(known(DEFAULT_LOCALE))

    def with_pseudo(locale: str) -> NullTranslations:
        return pseudo if locale == PSEUDO else known(locale)

    monkeypatch.setattr(catalogue, "catalogue", with_pseudo)
    for module in (catalogue, command_texts):
        monkeypatch.setattr(module, "LOCALES", (*LOCALES, PSEUDO))
    base_payload = interactions.base_payload

    def translated(*args: Any, **named: Any) -> Any:
        record, payload = base_payload(*args, **named)
        payload["locale"] = PSEUDO
        return record, payload

    monkeypatch.setattr(interactions, "base_payload", translated)


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
        has_name, is_field = "value" in entries, "inline" in entries
        for key, value in entries.items():
            is_text = key in TEXTS or (key == "name" and has_name) or (key == "value" and is_field)
            if isinstance(value, str) and is_text:
                yield value
            else:
                yield from _read(value)
