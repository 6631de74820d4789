"""What everybody in the server saw, and when: the stand-in's own events, with this host's clock.

PostgreSQL runs on the same host, so its times and these can be compared.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from dataclasses import dataclass

from tests.wire import Channel
from tests.wire.json_types import JsonObject, child, children
from tests.wire.models import walk
from tests.wire.state import World

_MARK = re.compile(r"Ticket id (\d+)\Z")
_ACCEPT = re.compile(r"ticket:close_request:accept:(\d+)")


@dataclass(frozen=True, slots=True)
class Sight:
    at: float
    """Seconds since the epoch."""
    message: JsonObject
    title: str = ""

    @property
    def in_private(self) -> bool:
        return self.message.get("guild_id") is None


class Record:
    """It sees each thing that took effect, whether or not the bot was told that it did."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._told: defaultdict[int, list[Sight]] = defaultdict(list[Sight])
        self._asked: defaultdict[int, list[Sight]] = defaultdict(list[Sight])
        self._deleted: defaultdict[int, list[float]] = defaultdict(list[float])
        self._channels_of: defaultdict[int, list[Channel]] = defaultdict(list[Channel])
        self.channels: dict[int, Channel] = {}
        """Deleted ones too."""
        world.subscribe(self._note)

    def _note(self, event: str, data: JsonObject, _without_content: JsonObject) -> None:
        match event:
            case "CHANNEL_CREATE":
                channel = self._world.channels[int(data["id"])]
                self.channels[channel.id] = channel
                if marked := _MARK.search(channel.topic or ""):
                    self._channels_of[int(marked[1])].append(channel)
            case "CHANNEL_DELETE":
                self._deleted[int(data["id"])].append(time.time())
            case "MESSAGE_CREATE":
                if data["author"]["id"] == str(self._world.bot.id):
                    self._note_message(data)
            case _:
                pass

    def _note_message(self, message: JsonObject) -> None:
        for embed in children(message, "embeds"):
            if marked := _MARK.fullmatch(child(embed, "footer").get("text") or ""):
                sight = Sight(time.time(), message, embed.get("title") or "")
                self._told[int(marked[1])].append(sight)
        for component in walk(children(message, "components")):
            if accepts := _ACCEPT.fullmatch(component.get("custom_id") or ""):
                self._asked[int(accepts[1])].append(Sight(time.time(), message))

    def channels_of(self, ticket_id: int) -> list[Channel]:
        return self._channels_of[ticket_id]

    def deletions(self, channel_id: int) -> list[float]:
        """When that channel vanished."""
        return self._deleted[channel_id]

    def welcomes(self, ticket_id: int) -> list[Sight]:
        return [
            sight
            for sight in self._told[ticket_id]
            if not sight.in_private and re.fullmatch(r"Ticket #\d+", sight.title)
        ]

    def closes_logged(self, ticket_id: int) -> list[Sight]:
        return [
            sight
            for sight in self._told[ticket_id]
            if not sight.in_private and sight.title.endswith("closed")
        ]

    def dms(self, ticket_id: int) -> list[Sight]:
        return [sight for sight in self._told[ticket_id] if sight.in_private]

    def attention(self, ticket_id: int) -> list[Sight]:
        return [sight for sight in self._told[ticket_id] if "attention" in sight.title]

    def asked(self, request_id: int) -> list[Sight]:
        """The messages that show this close request's buttons."""
        return self._asked[request_id]
