"""What everybody in the server saw, and when: the stand-in's own events, with this host's clock.

PostgreSQL runs on the same host, so its times and these can be compared.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.wire import Channel
from tests.wire.json_types import JsonObject, child, children
from tests.wire.models import walk
from tests.wire.state import World

ACCEPT = "ticket:close_request:accept:"


@dataclass(frozen=True, slots=True)
class Sight:
    at: float
    """Seconds since the epoch."""
    event: str
    data: JsonObject

    @property
    def channel_id(self) -> int:
        return int(self.data["channel_id"])


class Record:
    """It sees each thing that took effect, whether or not the bot was told that it did."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sights: list[Sight] = []
        self.channels: dict[int, Channel] = {}
        """Deleted ones too."""
        world.subscribe(self._note)

    def _note(self, event: str, data: JsonObject, _without_content: JsonObject) -> None:
        self._sights.append(Sight(time.time(), event, data))
        if event == "CHANNEL_CREATE":
            channel_id = int(data["id"])
            self.channels[channel_id] = self._world.channels[channel_id]

    def _messages(self) -> Iterator[Sight]:
        bot = str(self._world.bot.id)
        for sight in self._sights:
            if sight.event == "MESSAGE_CREATE" and sight.data["author"]["id"] == bot:
                yield sight

    def _marked(self, ticket_id: int, title: str) -> list[Sight]:
        """The bot's messages with this ticket's mark and such a title."""
        return [
            sight
            for sight in self._messages()
            for embed in children(sight.data, "embeds")
            if child(embed, "footer").get("text") == f"Ticket id {ticket_id}"
            and title in (embed.get("title") or "")
        ]

    def channels_of(self, ticket_id: int) -> list[Channel]:
        mark = f"Ticket id {ticket_id}"
        return [each for each in self.channels.values() if each.topic and each.topic.endswith(mark)]

    def deletions(self, channel_id: int) -> list[float]:
        return [
            sight.at
            for sight in self._sights
            if sight.event == "CHANNEL_DELETE" and int(sight.data["id"]) == channel_id
        ]

    def welcomes(self, ticket_id: int) -> list[Sight]:
        return [
            sight
            for sight in self._marked(ticket_id, "Ticket #")
            if not any(
                word in embed["title"]
                for embed in sight.data["embeds"]
                for word in ("closed", "attention")
            )
        ]

    def closes_logged(self, ticket_id: int) -> list[Sight]:
        return [
            sight
            for sight in self._marked(ticket_id, "closed")
            if sight.data.get("guild_id") is not None
        ]

    def dms(self, ticket_id: int) -> list[Sight]:
        return [
            sight
            for sight in self._marked(ticket_id, "was closed")
            if sight.data.get("guild_id") is None
        ]

    def attention(self, ticket_id: int) -> list[Sight]:
        return self._marked(ticket_id, "needs attention")

    def asked(self, request_id: int) -> list[Sight]:
        """The messages that show this close request's buttons."""
        wanted = f"{ACCEPT}{request_id}"
        return [
            sight
            for sight in self._messages()
            if any(
                component.get("custom_id") == wanted
                for component in walk(children(sight.data, "components"))
            )
        ]
