"""The page that looks like Discord, as a browser uses it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Self

from aiohttp import ClientError, ClientSession

Json = dict[str, Any]


class DiscordWindow:
    def __init__(self, session: ClientSession, origin: str, secret: str) -> None:
        self._session = session
        self._origin = origin
        self._headers = {"X-Simcord-Capability": secret}
        self._sequence = 0
        self.snapshot: Json = {}

    @classmethod
    async def open(cls, session: ClientSession, url: str) -> Self:
        origin, _, secret = url.partition("/#")
        window = cls(session, origin, secret)
        window.snapshot = await window._request("POST", "/api/pages", {})
        window._headers["X-Simcord-Context"] = window.snapshot["context"]["id"]
        return window

    @property
    def channel(self) -> str:
        return self.snapshot["channel"]["name"]

    @property
    def viewers(self) -> list[str]:
        return [viewer["name"] for viewer in self.snapshot["viewers"]]

    @property
    def text(self) -> str:
        """All that is written in its messages."""
        return " ".join(_texts(self.snapshot["messages"]))

    async def look(self) -> None:
        """What a browser does twice a second. It stays as it is once the channel is gone."""
        with suppress(ClientError):
            self.snapshot = await self._request("GET", "/api/state")

    async def shows(self, text: str) -> bool:
        await self.look()
        return text in self.text

    async def press(self, label: str) -> None:
        button = next(each for each in _dicts(self.snapshot) if each.get("label") == label)
        key = str(button["control_key"])
        await self._act("click", control_key=key, target_id=key.split(":")[1])

    async def fill_in(self, **values: str) -> None:
        handle = self.snapshot["modal"]["handle"]
        await self._act("modal_submit", modal_handle=handle, values=values)

    async def run(self, command: str, **options: str) -> None:
        catalog = await self._request("GET", "/api/commands")
        entry = next(each for each in catalog["entries"] if each["invocation"] == command)
        await self._act(
            "run_command",
            command_id=entry["commandId"],
            path=entry["path"],
            schema_fingerprint=entry["schemaFingerprint"],
            options=options,
        )

    async def write(self, content: str) -> None:
        await self._act("send_message", content=content)

    async def end(self) -> None:
        await self._act("close")

    async def _act(self, kind: str, **body: object) -> None:
        self._sequence += 1
        receipt = await self._request(
            "POST",
            "/api/action",
            {
                "kind": kind,
                "protocol_version": 3,
                "sequence": self._sequence,
                "request_id": str(uuid.uuid4()),
                "generation": self.snapshot["context"]["generation"],
                "bot_generation": self.snapshot["botGeneration"],
                "published_revision": self.snapshot["publishedRevision"],
                **body,
            },
        )
        assert receipt["settlement"] == "settled", receipt
        await self.look()

    async def _request(self, method: str, path: str, body: Json | None = None) -> Json:
        async with self._session.request(
            method, self._origin + path, json=body, headers=self._headers
        ) as response:
            response.raise_for_status()
            return await response.json()


def _dicts(value: object) -> Iterator[Json]:
    match value:
        case dict():
            yield value  # pyright: ignore[reportUnknownVariableType]
            for each in value.values():  # pyright: ignore[reportUnknownVariableType]
                yield from _dicts(each)  # pyright: ignore[reportUnknownArgumentType]
        case list():
            for each in value:  # pyright: ignore[reportUnknownVariableType]
                yield from _dicts(each)  # pyright: ignore[reportUnknownArgumentType]
        case _:
            return


def _texts(messages: Json) -> Iterator[str]:
    for each in _dicts(messages):
        for key in ("content", "title", "description", "value"):
            if isinstance(each.get(key), str):
                yield each[key]
