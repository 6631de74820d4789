"""The front page, as a browser uses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Self

from aiohttp import ClientSession

from tests.demo.discord_window import DiscordWindow

Attributes = dict[str, str | None]


@dataclass(slots=True)
class Button:
    value: str
    group: str | None
    """The class of the list it is in."""
    name: str = ""
    until: int | None = None
    is_new: bool = False
    is_current: bool = False

    @property
    def channel_id(self) -> str:
        return self.value.partition(":")[2]


@dataclass(slots=True)
class Content:
    token: str = ""
    buttons: list[Button] = field(default_factory=list[Button])
    links: list[str] = field(default_factory=list[str])


class FrontWindow:
    """Open it with `open`; `now` is what it shows."""

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session = session
        self.url = url
        self.now = Content()

    @classmethod
    async def open(cls, session: ClientSession, url: str) -> Self:
        window = cls(session, url)
        await window.look()
        return window

    async def look(self) -> None:
        """What it does twice a second."""
        async with self._session.get(self.url + "now") as response:
            response.raise_for_status()
            reader = _Reader()
            reader.feed(await response.text())
            self.now = reader.content

    @property
    def channels(self) -> dict[str, Button]:
        return {each.name: each for each in self.now.buttons if each.group == "channels"}

    async def shows(self, channel: str) -> bool:
        await self.look()
        return channel in self.channels

    async def look_as(self, person: str, channel: str) -> DiscordWindow:
        if not await self.shows(channel):
            await self.switch_to("owner")
        return await self.press(f"{person}:{self.channels[channel].channel_id}")

    async def switch_to(self, person: str) -> DiscordWindow:
        """Look at the same, if they may, as somebody else."""
        await self.look()
        return await self.press(
            next(each.value for each in self.now.buttons if each.value.startswith(f"{person}:"))
        )

    async def press(self, look: str) -> DiscordWindow:
        form = {"look": look, "token": self.now.token, "timezone": "Europe/Berlin"}
        async with self._session.post(
            self.url + "look", data=form, allow_redirects=False
        ) as response:
            assert response.status == 303, await response.text()
        await self.look()
        return await DiscordWindow.open(self._session, response.headers["Location"])

    async def shown(self) -> DiscordWindow:
        """The page that looks like Discord, as it is now."""
        async with self._session.get(self.url + "discord", allow_redirects=False) as response:
            return await DiscordWindow.open(self._session, response.headers["Location"])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.content = Content()
        self._group: str | None = None
        self._in_name = False

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self._in_name = attributes.get("class") == "name"
        match tag:
            case "ul" | "div":
                self._group = attributes.get("class")
            case "input":
                self.content.token = attributes["value"] or ""
            case "a":
                self.content.links.append(attributes["href"] or "")
            case "button":
                value = attributes.get("value") or ""
                current = attributes.get("aria-current") == "true"
                self.content.buttons.append(Button(value, self._group, is_current=current))
            case "time":
                self.content.buttons[-1].until = int(attributes["data-until"] or 0)
            case "span" if attributes.get("class") == "new":
                self.content.buttons[-1].is_new = True
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        self._in_name = False
        if tag in ("ul", "div"):
            self._group = None

    def handle_data(self, data: str) -> None:
        if self._in_name:
            self.content.buttons[-1].name += data
