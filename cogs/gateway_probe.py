"""Has everything been heard that Discord has said up to now?

The gateway is one ordered stream: once Discord has acknowledged a heartbeat that is sent now, all
that it had to tell before has come. So a deadline can be decided in the time of a round trip,
however many tickets are due, and also on a connection that has died without a word.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Any

import discord
from discord.gateway import DiscordWebSocket

ACK_TIMEOUT_S = 2.0
POLL_S = 0.001
MAX_A_MINUTE = 60
"""Discord ends a connection that sends more than 120 messages a minute."""
RECENT_S = 5.0
"""With no probe left to send, an acknowledgement is good enough for so long."""


class GatewayProbe:
    def __init__(self, bot: discord.Client) -> None:
        self._bot = bot
        self._probing = asyncio.Lock()
        self._began = 0.0
        self._succeeded = False
        self._sent: list[float] = []

    async def is_current(self) -> bool:
        """Who asks at once is answered by one probe."""
        asked = perf_counter()
        async with self._probing:
            if self._began < asked:
                self._began = perf_counter()
                self._succeeded = await self._probe()
            return self._succeeded

    async def _probe(self) -> bool:
        # discord.py has no public way to send a heartbeat, or to hear of its acknowledgement.
        websocket: Any = self._bot.ws
        keep_alive: Any = getattr(websocket, "_keep_alive", None)
        if not isinstance(websocket, DiscordWebSocket):
            return True  # a virtual Discord, which tells everything at once
        if keep_alive is None:
            return False
        now = perf_counter()
        self._sent = [sent for sent in self._sent if sent > now - 60]
        if len(self._sent) >= MAX_A_MINUTE:
            return bool(keep_alive._last_ack > now - RECENT_S)
        self._sent.append(now)
        # Its latency is the time from its own last heartbeat; it must not take ours for late.
        keep_alive._last_send = now
        try:
            async with asyncio.timeout(ACK_TIMEOUT_S):
                await websocket.send_heartbeat(
                    {"op": DiscordWebSocket.HEARTBEAT, "d": websocket.sequence}
                )
                while keep_alive._last_ack < now:  # noqa: ASYNC110  # there is no event for it
                    await asyncio.sleep(POLL_S)
        except (TimeoutError, OSError, RuntimeError):
            return False
        # What came before the answer is told in tasks that discord.py may have made just now: they
        # begin in the loop's next turn, and only then is it known that something is being noted.
        await asyncio.sleep(0)
        return True
