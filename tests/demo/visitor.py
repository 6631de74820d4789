"""Somebody who has the demo's page open: what it shows them, and what they press."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

from aiohttp import ClientSession, ClientTimeout, CookieJar, TCPConnector
from yarl import URL

from domains.tasks import cancel, detached

WAIT_TIMEOUT_S = 30.0


class Visitor:
    def __init__(self, session: ClientSession, origin: URL, language: str) -> None:
        self.session = session
        self.origin = origin
        self.view: dict[str, str] = {"as": "casey", "in": "", "lang": language, "about": ""}
        self.regions: dict[str, str] = {}
        """The parts of the page, as HTML."""
        self.took_s: list[tuple[float, str]] = []
        """How long each action took."""
        self._changed = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    @classmethod
    @asynccontextmanager
    async def at(cls, url: str, language: str = "en") -> AsyncGenerator[Self]:
        """Opens the address that the demo has announced."""
        connector = TCPConnector(force_close=True)
        cookies = CookieJar(unsafe=True)  # of an address without a name
        async with ClientSession(
            connector=connector, cookie_jar=cookies, timeout=ClientTimeout(total=None)
        ) as session:
            async with session.get(url, params={"lang": language}) as response:
                response.raise_for_status()
            visitor = cls(session, URL(url).origin(), language)
            try:
                await visitor.look()
                await visitor.act("speak")
                yield visitor
            finally:
                await visitor.close()

    async def close(self) -> None:
        if self._listening is not None:
            await cancel(self._listening)

    async def look(self, person: str = "", place: str = "") -> None:
        """As somebody, at a channel's id or name, or at `dm`."""
        if person:
            self.view["as"] = person
            await self._listen()
        if place:
            self.view["in"] = self.places.get(place, place)
        await self._listen()

    async def _listen(self) -> None:
        await self.close()
        self.regions = {}
        self._listening = detached(self._read())
        await self.until(lambda: "messages" in self.regions, "the page")

    async def _read(self) -> None:
        async with self.session.get(self.origin / "events", params=self.view) as response:
            response.raise_for_status()
            async for line in response.content:
                if line.startswith(b"data: "):
                    self.regions |= json.loads(line.removeprefix(b"data: "))["regions"]
                    self.view["about"] = self.regions["about"] or self.view["about"]
                    self._changed.set()

    async def until(
        self,
        condition: Callable[[], object],
        waiting_for: str,
        within_s: float = WAIT_TIMEOUT_S,
    ) -> None:
        try:
            async with asyncio.timeout(within_s):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise TimeoutError(f"waited {within_s:g} s for {waiting_for}") from None

    async def until_shown(self, text: str, region: str = "messages") -> None:
        await self.until(lambda: text in self.regions[region], f"{text!r} in {region}")

    @property
    def places(self) -> Mapping[str, str]:
        """By name, what to look at."""
        found = re.findall(
            r'data-in="(\d+)".*?class="name">([^<]+)<', self.regions.get("places", ""), re.DOTALL
        )
        return {name: place for place, name in found}

    @property
    def ticket(self) -> str:
        """The name of the one that is looked at."""
        found = re.search(r"ticket-\d+", self.regions["heading"])
        assert found is not None, self.regions["heading"]
        return found[0]

    # --- acting

    async def act(self, do: str, **said: object) -> Mapping[str, Any]:
        began = time.perf_counter()
        async with self.session.post(
            self.origin / "act", json={**self.view, "do": do, **said}
        ) as response:
            assert response.status == 200, await response.text()
            answer = await response.json()
        what = " ".join([do, *(str(each) for each in said.values())][:2])
        self.took_s.append((time.perf_counter() - began, what))
        if "go" in answer:
            self.view |= answer["go"]
            await self._listen()
        return answer

    async def step(self, step: str, **said: object) -> Mapping[str, Any]:
        answer = await self.act("step", step=step, **said)
        assert "error" not in answer, answer
        return answer

    async def press(self, custom_id_prefix: str) -> Mapping[str, Any]:
        """The last button whose custom_id begins so."""
        message, custom_id = re.findall(
            rf'id="press-(\d+)-({re.escape(custom_id_prefix)}[^"]*)"', self.regions["messages"]
        )[-1]
        return await self.act("press", message=message, custom_id=custom_id)

    async def run(self, command: str, **options: str) -> Mapping[str, Any]:
        return await self.act("run", command=command, options=options)

    @property
    def closed_late_ms(self) -> tuple[int, int | None] | None:
        """How late the ticket in view was closed, and how long after what it had waited for was
        back."""
        found = re.search(r'data-late-ms="(-?\d+)" data-after-ms="(\d*)"', self.regions["truth"])
        return (int(found[1]), int(found[2]) if found[2] else None) if found else None
