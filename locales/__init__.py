"""Every text that people read, in their language: `text(key, locale, **values)`.

A key is `surface.name`; its sentence stands in `{locale}/{surface}.po`.
"""

from locales.catalogue import DEFAULT_LOCALE, LOCALES, supported
from locales.durations import duration
from locales.texts import Text, text

__all__ = ["DEFAULT_LOCALE", "LOCALES", "Text", "duration", "supported", "text"]
