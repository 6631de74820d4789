"""What the visitor does to the bot and its servers while a countdown runs. All of it is real, and
all of it is mended by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from demo.bot_process import BotProcess
from demo.virtual_discord import VirtualDiscord
from domains.tasks import cancel, detached
from embedded import EmbeddedServers

OUTAGE_S = 10.0
RETURN_TIMEOUT_S = 60.0
"""A bot that has not come back by then has met something else."""


class Blow(StrEnum):
    KILL_BOT = "kill_bot"
    FLUSH_REDIS = "flush_redis"
    STOP_POSTGRES = "stop_postgres"
    CUT_DISCORD = "cut_discord"


@dataclass(frozen=True, slots=True)
class Struck:
    blow: Blow
    at: datetime
    mended_at: datetime | None = None
    """When the server was back, or the bot connected again. None: not yet."""


class Chaos:
    def __init__(
        self,
        bot: BotProcess,
        servers: EmbeddedServers,
        discord: VirtualDiscord,
        changed: Callable[[], None],
    ) -> None:
        self._bot = bot
        self._servers = servers
        self._discord = discord
        self._changed = changed
        self._struck: list[Struck] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def struck(self) -> Sequence[Struck]:
        return self._struck

    def is_felt(self, blow: Blow) -> bool:
        """Whether the last one of its kind is not mended yet: it can't be struck again."""
        return any(each.blow is blow and each.mended_at is None for each in self._struck)

    def strike(self, blow: Blow) -> bool:
        """False if it is still felt from the last time."""
        if self.is_felt(blow):
            return False
        place = len(self._struck)
        self._struck.append(Struck(blow, datetime.now(UTC)))
        task = detached(self._strike_and_mend(place))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._changed()
        return True

    async def stop(self) -> None:
        await cancel(*self._tasks)

    async def _strike_and_mend(self, place: int) -> None:
        try:
            match self._struck[place].blow:
                case Blow.KILL_BOT:
                    await self._kill_bot()
                case Blow.FLUSH_REDIS:
                    await self._servers.flush_valkey()
                case Blow.STOP_POSTGRES:
                    await self._stop_postgres()
                case Blow.CUT_DISCORD:
                    await self._cut_discord()
        finally:
            self._struck[place] = replace(self._struck[place], mended_at=datetime.now(UTC))
            self._changed()

    async def _kill_bot(self) -> None:
        before = self._discord.gateway.ready_count
        self._bot.kill()
        await self._until_ready_again(before)

    async def _stop_postgres(self) -> None:
        await self._servers.stop_postgres()
        try:
            await asyncio.sleep(OUTAGE_S)
        finally:
            await self._servers.restart_postgres()

    async def _cut_discord(self) -> None:
        before = self._discord.gateway.ready_count
        self._discord.cut()
        try:
            await asyncio.sleep(OUTAGE_S)
        finally:
            self._discord.restore()
        await self._until_ready_again(before)

    async def _until_ready_again(self, before: int) -> None:
        gateway = self._discord.gateway
        await self._discord.changes.until(lambda: gateway.ready_count > before, RETURN_TIMEOUT_S)
