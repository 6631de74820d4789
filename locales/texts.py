"""A sentence with its values filled in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

from babel.lists import format_list

from locales.catalogue import DEFAULT_LOCALE, template
from locales.durations import duration


class Typed(str):
    """A value that somebody typed: it has to be made safe where it is shown."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence that is made when it is known who reads it."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict[str, object])

    def in_locale(self, locale: str) -> str:
        return text(self.key, locale, **self.values)

    def with_typed(self, show: Callable[[str], str]) -> Text:
        """The same, with all that somebody typed as `show` has it."""
        return Text(self.key, {name: _safe(value, show) for name, value in self.values.items()})

    def __str__(self) -> str:
        return self.in_locale(DEFAULT_LOCALE)


def text(key: str, locale: str, /, **values: object) -> str:
    """The sentence of `key`. `count` chooses among the plural forms.

    Values are filled in as they are: what somebody typed has to be made safe to show before. A
    duration (timedelta), another Text and a list are written in the same language.
    """
    count = values.get("count")
    sentence = template(key, locale, count if isinstance(count, int) else None)
    return sentence.format_map({name: _shown(value, locale) for name, value in values.items()})


def _shown(value: object, locale: str) -> str:
    match value:
        case Text():
            return value.in_locale(locale)
        case timedelta():
            return duration(value, locale)
        case list() | tuple():
            items = cast("list[object]", value)
            return format_list([_shown(item, locale) for item in items], locale=locale)
        case _:
            return str(value)


def _safe(value: object, show: Callable[[str], str]) -> object:
    match value:
        case Typed():
            return show(value)
        case Text():
            return value.with_typed(show)
        case list() | tuple():
            return [_safe(item, show) for item in cast("list[object]", value)]
        case _:
            return value
