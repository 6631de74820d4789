"""People, moments and typed words as plain text on a page, by the names that are known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domains.formatting import PlainStyle
from domains.monitoring.names import Names

PLAIN = PlainStyle()
ISOLATED = "\N{FIRST STRONG ISOLATE}{}\N{POP DIRECTIONAL ISOLATE}"
"""A name may be written from right to left; what follows it is not."""


@dataclass(frozen=True, slots=True)
class NamedStyle:
    names: Names
    guild_id: int
    locale: str = PLAIN.locale

    def user(self, user_id: int | None) -> str:
        name = self.names.member(self.guild_id, user_id) if user_id else None
        return ISOLATED.format(name) if name else PLAIN.user(user_id)

    def moment(self, moment: datetime) -> str:
        return PLAIN.moment(moment)

    def text(self, text: str) -> str:
        return PLAIN.text(text)
