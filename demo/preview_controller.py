"""simcord's Preview, the page that looks like Discord: one at a time, of one channel."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from types import TracebackType
from typing import NoReturn, Self
from urllib.parse import urlsplit

import simcord

from demo.clock import catch_up
from demo.demo_guild import DemoGuild, Person

log = logging.getLogger(__name__)

POLL_INTERVAL_S = 0.1
SETTLE_TIMEOUT_S = 30.0
"""How long to wait for the end of what a viewer has just begun."""


class PreviewController:
    """Shows a channel as somebody sees it; follows what the bot does there by itself."""

    def __init__(self, env: simcord.Env, demo_guild: DemoGuild) -> None:
        self._env = env
        self._demo_guild = demo_guild
        self._preview: simcord.Preview | None = None
        self._port: int | None = None
        self._changing = asyncio.Lock()
        self._outdated = False
        self.channel_id = demo_guild.welcome.id
        self.viewer = demo_guild.customer
        self.timezone = "UTC"
        self.visited = {demo_guild.welcome.id, demo_guild.log.id}
        self.moves = 0
        """How often it went to another channel because the one it showed was gone."""

    async def __aenter__(self) -> Self:
        await self.show(self.channel_id, self.viewer)
        self._env.backend.subscribers.append(self._notice)
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._env.backend.subscribers.remove(self._notice)
        async with self._changing:
            await self._close()

    async def show(self, channel_id: int, viewer: Person) -> None:
        """Or the log, if the channel is gone or not for their eyes."""
        async with self._changing:
            await self._show(channel_id, viewer)

    async def url(self) -> str:
        """Of the page, secret included. A viewer may have ended it: then there is a new one."""
        async with self._changing:
            await self._leave_if_gone()
            try:
                return self._current.url
            except simcord.SetupError:
                await self._show(self.channel_id, self.viewer)
                return self._current.url

    async def keep_up(self) -> NoReturn:
        """With the clock, and with what happens without a viewer's doing."""
        while True:
            catch_up(self._env)
            async with self._changing:
                # "In 30 seconds" is relative to this, at the moment when a message is drawn.
                self._current.capture_time = self._env.now()
                await self._leave_if_gone()
                await self._refresh_if_outdated()
            await asyncio.sleep(POLL_INTERVAL_S)

    async def _leave_if_gone(self) -> None:
        if self._demo_guild.channel(self.channel_id) is None:
            await self._show(self.channel_id, self.viewer)
            self.moves += 1

    async def _refresh_if_outdated(self) -> None:
        if self._outdated:
            self._outdated = False
            try:
                await self._current.refresh()
            except (simcord.SetupError, TimeoutError) as error:
                log.debug("The page cannot be refreshed just now: %s", error)
                self._outdated = True

    def _notice(self, _event: str, payload: Mapping[str, object]) -> None:
        """Of all that happens in Discord, what a viewer of this channel has to be told of.

        Not what follows from a viewer's own action: simcord shows that at the action's end, and
        one refresh more would outdate the buttons until the browser has noticed.
        """
        under_way = self._env._operation_task  # pyright: ignore[reportPrivateUsage]
        if under_way is None and str(self.channel_id) in (
            payload.get("channel_id"),
            payload.get("id"),
        ):
            self._outdated = True

    @property
    def _current(self) -> simcord.Preview:
        assert self._preview is not None
        return self._preview

    async def _show(self, channel_id: int, viewer: Person) -> None:
        await self._close()
        async with asyncio.timeout(SETTLE_TIMEOUT_S):
            while not await self._open(channel_id, viewer):  # noqa: ASYNC110  # no event tells
                await asyncio.sleep(POLL_INTERVAL_S)

    async def _close(self) -> None:
        if self._preview is not None:
            await self._preview.close()

    async def _open(self, channel_id: int, viewer: Person) -> bool:
        """False if it is not possible at this moment: simcord does one thing at a time."""
        channel = self._demo_guild.channel(channel_id)
        if channel is None or not viewer.sees(channel):
            channel = self._demo_guild.log
            viewer = viewer if viewer.sees(channel) else self._demo_guild.support
        others = [each for each in self._demo_guild.people if each != viewer and each.sees(channel)]
        try:
            preview = self._env.preview(
                channel,
                viewers=[each.actor for each in (viewer, *others)],
                layout="channel",
                timezone=self.timezone,
                presentation_time=self._env.now(),
                port=self._port,
            )
            await preview.__aenter__()
        except simcord.SetupError as error:
            log.debug("The page cannot be opened just now: %s", error)
            self._port = None
            return False
        self._preview = preview
        self._port = urlsplit(preview.url).port
        self._outdated = False
        self.channel_id, self.viewer = channel.id, viewer
        self.visited.add(channel.id)
        return True
