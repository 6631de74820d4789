"""Every text that people read, in their language: `text(key, locale, **values)`.

A key is `surface.name`; its sentence stands in `{locale}/{surface}.po`.
"""

from locales.catalogue import DEFAULT_LOCALE, LOCALES, is_known, supported
from locales.durations import duration, milliseconds, short_duration
from locales.texts import Text, Typed, text

__all__ = [
    "DEFAULT_LOCALE",
    "LOCALES",
    "Text",
    "Typed",
    "duration",
    "is_known",
    "milliseconds",
    "short_duration",
    "supported",
    "text",
]
