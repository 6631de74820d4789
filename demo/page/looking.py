"""Who looks, and at what."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from simcord.backend.models import Channel

from demo.guild import DemoGuild, Person
from demo.words import Words

DM = "dm"


@dataclass(frozen=True, slots=True)
class Looking:
    person: Person
    place: str
    """A channel's id, or `dm`."""
    words: Words
    about: int | None
    """The ticket that was looked at last, which may be closed by now."""

    def channel(self, guild: DemoGuild) -> Channel | None:
        """None if there is none (any more), or they may not see it."""
        if self.place == DM:
            return guild.dm_of(self.person)
        return guild.channel_for(self.person, int(self.place))


def looking(guild: DemoGuild, said: dict[str, str]) -> Looking:
    """Raises HTTPBadRequest for nobody and nothing."""
    place, about = said.get("in") or str(guild.welcome_id), said.get("about") or ""
    try:
        person = guild.person(said.get("as") or guild.people[0].name)
    except KeyError:
        raise web.HTTPBadRequest(text="There is nobody of that name.\n") from None
    if place != DM and not _is_id(place):
        raise web.HTTPBadRequest(text="There is no such place.\n")
    return Looking(
        person, place, Words(said.get("lang", "")), int(about) if _is_id(about) else None
    )


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 19
