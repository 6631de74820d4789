"""The sentences of a language, read from its .po files when they are first needed.

gettext does the work. It reads compiled files, which Babel makes in memory: so what a translator
edits is what is used, and nothing compiled is kept that could be out of date.
"""

from __future__ import annotations

import io
from functools import cache
from gettext import GNUTranslations
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

DEFAULT_LOCALE: Final = "en"
LOCALES: Final = ("en", "de")

DIRECTORY = Path(__file__).parent


def supported(locale: object) -> str:
    """The language there is for a locale as Discord calls it: `de` for `de`, `en` for `en-GB`, and
    English for what is not translated, or not known."""
    language = str(locale or "").replace("_", "-").partition("-")[0].lower()
    return language if language in LOCALES else DEFAULT_LOCALE


@cache
def catalogue(locale: str) -> GNUTranslations:
    """Raises FileNotFoundError for a language that there is not."""
    files = sorted((DIRECTORY / locale).glob("*.po"))
    if not files:
        raise FileNotFoundError(DIRECTORY / locale)
    whole = Catalog(locale=locale)
    for file in files:
        with file.open("rb") as source:
            for message in read_po(source, locale=locale):
                whole[message.id] = message
    compiled = io.BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return GNUTranslations(compiled)


def template(key: str, locale: str, count: int | None) -> str:
    """The sentence with its placeholders; that of `count` where the key has plural forms. Raises
    KeyError for an unknown key."""
    translations = catalogue(locale)
    if count is not None:
        found = translations.ngettext(key, key, count)
        if found != key:
            return found
    found = translations.gettext(key)
    if found == key:
        raise KeyError(key)
    return found


def is_known(key: str) -> bool:
    """False for what a newer version may have written into the database."""
    # Older Pythons' gettext() does not find a text that has plural forms.
    translations = catalogue(DEFAULT_LOCALE)
    return translations.gettext(key) != key or translations.ngettext(key, key, 1) != key
