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

MARK = re.compile(r"Ref \w+-(\w+)\Z")
"""The last part is the ticket's token."""
MARK_LINE = re.compile(rf"-# {MARK.pattern}")
HEADING = "### "
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
        self._told: defaultdict[str, list[Sight]] = defaultdict(list[Sight])
        self._asked: defaultdict[int, list[Sight]] = defaultdict(list[Sight])
        self._replies: defaultdict[int, list[Sight]] = defaultdict(list[Sight])
        self._deleted: defaultdict[int, list[float]] = defaultdict(list[float])
        self._channels_of: defaultdict[str, list[Channel]] = defaultdict(list[Channel])
        self.channels: dict[int, Channel] = {}
        """Deleted ones too."""
        world.subscribe(self._note)

    def _note(self, event: str, data: JsonObject, _without_content: JsonObject) -> None:
        match event:
            case "CHANNEL_CREATE":
                channel = self._world.channels[int(data["id"])]
                self.channels[channel.id] = channel
                if marked := MARK.search(channel.topic or ""):
                    self._channels_of[marked[1]].append(channel)
            case "CHANNEL_DELETE":
                self._deleted[int(data["id"])].append(time.time())
            case "MESSAGE_CREATE":
                if data["author"]["id"] == str(self._world.bot.id):
                    self._note_message(data)
            case _:
                pass

    def _note_message(self, message: JsonObject) -> None:
        if replied := child(message, "message_reference").get("message_id"):
            self._replies[int(replied)].append(Sight(time.time(), message))
        title = ""
        for component in walk(children(message, "components")):
            content = component.get("content") or ""
            if content.startswith(HEADING):
                title = content.removeprefix(HEADING)
            if marked := MARK_LINE.fullmatch(content):
                self._told[marked[1]].append(Sight(time.time(), message, title))
            if accepts := _ACCEPT.fullmatch(component.get("custom_id") or ""):
                self._asked[int(accepts[1])].append(Sight(time.time(), message))

    def channels_of(self, token: str) -> list[Channel]:
        return self._channels_of[token]

    def deletions(self, channel_id: int) -> list[float]:
        """When that channel vanished."""
        return self._deleted[channel_id]

    def welcomes(self, token: str) -> list[Sight]:
        return [
            sight
            for sight in self._told[token]
            if not sight.in_private and re.fullmatch(r"Ticket #\d+", sight.title)
        ]

    def closes_logged(self, token: str) -> list[Sight]:
        return [
            sight
            for sight in self._told[token]
            if not sight.in_private and sight.title.endswith("closed")
        ]

    def dms(self, token: str) -> list[Sight]:
        return [sight for sight in self._told[token] if sight.in_private]

    def attention(self, token: str) -> list[Sight]:
        return [sight for sight in self._told[token] if "attention" in sight.title]

    def replies(self, message_id: int) -> list[Sight]:
        """By the bot, to that message."""
        return self._replies[message_id]

    def asked(self, request_id: int) -> list[Sight]:
        """The messages that show this close request's buttons."""
        return self._asked[request_id]
