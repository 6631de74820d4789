"""A server with its people, a bot that can be killed, servers that can fail, and a record of all
that came of it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from tests.faults.own_servers import OwnPostgres, OwnValkey
from tests.faults.record import Record
from tests.process.bot_process import BotProcess, start_bot
from tests.process.helpdesk import Helpdesk
from tests.scheduled_task.redis_view import QUEUE as QUEUE_NAME
from tests.waiting import eventually
from tests.wire import LOST, Channel, Discord, Message

QUEUE = f"saq:{QUEUE_NAME}:"
"""Where everything of the scheduler's is in Redis, but the jobs' records."""
READY = "✅ Cleaned up"
RECOVERY_S = 5.0
RECOVERY_OF_A_KILLED_WORKER_S = 15.0
"""What it was at is its own for five seconds, and its jobs are for eight."""


def timer_key(ticket_id: int, deadline: datetime) -> str:
    """The key of the job that waits for it."""
    return f"auto-close-{ticket_id}-{round(deadline.timestamp() * 1000)}"


@dataclass(slots=True)
class Outage:
    """A time in which nothing could be decided or done, and after which nothing may be late."""

    began: float
    recovery_s: float
    ended: float | None = None


class FaultEnv:
    def __init__(
        self,
        discord: Discord,
        environment: Mapping[str, str],
        postgres: OwnPostgres,
        valkey: OwnValkey,
    ) -> None:
        self.discord = discord
        self.environment = dict(environment)
        self._database_url = self.environment["DATABASE_URL"]
        self.postgres = postgres
        self.valkey = valkey
        self.record = Record(discord.world)
        self.helpdesk = Helpdesk(discord)
        self.outages: list[Outage] = []
        self.bots: list[BotProcess] = []
        """All that were ever started, the last one last."""
        self.deleted_by_hand: set[int] = set()
        self.orphaned: set[str] = set()
        """Jobs whose deadline a test has moved."""
        self._panel: Message | None = None
        self._down: Outage | None = None

    # --- the bot

    @property
    def bot(self) -> BotProcess:
        return self.bots[-1]

    async def begin_start(self, **settings: str) -> BotProcess:
        """A bot that may be killed before it is ready."""
        bot = await start_bot(self.discord, {**self.environment, **settings})
        self.bots.append(bot)
        return bot

    async def start(self, **settings: str) -> BotProcess:
        """A bot that is ready. With one running already it is a second one, by mistake."""
        bot = await self.begin_start(**settings)
        await bot.logged(READY)
        await self.discord.wait_ready()
        self.recovered()
        return bot

    def recovered(self) -> None:
        """Somebody is there again to do what the killed bot left."""
        if self._down is not None:
            self._down.ended = time.time()
            self._down = None

    def strike(self, bot: BotProcess | None = None) -> None:
        """SIGKILL, this very instant."""
        if self._down is None:
            self._down = Outage(time.time(), RECOVERY_OF_A_KILLED_WORKER_S)
            self.outages.append(self._down)
        os.kill((bot or self.bot).pid, signal.SIGKILL)

    def strike_and_lose(self, _: object = None) -> object:
        """For a hook: the bot dies, and the request's answer with it."""
        self.strike()
        return LOST

    async def bury(self) -> None:
        """Until the dead bot is gone, from the stand-in's view too."""
        await self.bot.ended()
        await self.discord.wait_gone()

    async def kill(self) -> None:
        self.strike()
        await self.bury()

    async def restart(self, **settings: str) -> BotProcess:
        await self.kill()
        return await self.start(**settings)

    async def end(self) -> None:
        for bot in self.bots:
            if bot.running:
                await bot.kill()

    # --- what fails

    @contextmanager
    def outage(self) -> Generator[None]:
        """Meanwhile something is away without which nothing can be closed."""
        outage = Outage(time.time(), RECOVERY_S)
        self.outages.append(outage)
        try:
            yield
        finally:
            outage.ended = time.time()

    # --- people

    async def panel(self) -> Message:
        if self._panel is None:
            self._panel = await self.helpdesk.set_up()
        return self._panel

    async def open(self, subject: str = "It is broken") -> Channel:
        return await self.helpdesk.open_ticket(await self.panel(), subject=subject)

    def delete_by_hand(self, channel: Channel) -> None:
        """Nobody can save what was in it, then."""
        self.discord.delete_channel(channel)
        self.deleted_by_hand.add(channel.id)

    async def ask(self, channel: Channel, close_delay: str | None = None) -> Message:
        """The request's message; asked anew, the newest."""
        return await self.helpdesk.ask(channel, close_delay=close_delay)

    # --- PostgreSQL, seen by its operator

    @asynccontextmanager
    async def database(self) -> AsyncGenerator[asyncpg.Connection[asyncpg.Record]]:
        """On a wire of its own, whatever the bot is given."""
        connection = await asyncpg.connect(self._database_url)
        try:
            yield connection
        finally:
            await connection.close()

    async def rows(self, query: str, *values: object) -> list[asyncpg.Record]:
        async with self.database() as connection:
            return await connection.fetch(query, *values)

    async def value(self, query: str, *values: object) -> object:
        async with self.database() as connection:
            return await connection.fetchval(query, *values)

    async def execute(self, statement: str, *values: object) -> None:
        async with self.database() as connection:
            await connection.execute(statement, *values)

    async def number_of(self, channel: Channel) -> int:
        """The ticket's id."""
        found = await self.value(
            "select id from punctual.tickets where channel_id = $1", channel.id
        )
        assert isinstance(found, int)
        return found

    async def status(self, channel: Channel) -> object:
        return await self.value(
            "select status from punctual.tickets where channel_id = $1", channel.id
        )

    async def request_status(self, channel: Channel) -> object:
        """Of its latest request."""
        return await self.value(
            """select r.status from punctual.close_requests r
               join punctual.tickets t on t.id = r.ticket_id
               where t.channel_id = $1 order by r.id desc limit 1""",
            channel.id,
        )

    async def timer_of(self, channel: Channel) -> str:
        """The key of the job that ought to wait for its deadline."""
        async with self.database() as connection:
            found = await connection.fetchrow(
                """select r.ticket_id, r.auto_close_at
                   from punctual.close_requests r join punctual.tickets t on t.id = r.ticket_id
                   where t.channel_id = $1 and r.status = 'pending'""",
                channel.id,
            )
        assert found is not None
        return timer_key(found["ticket_id"], found["auto_close_at"])

    async def token_of(self, channel: Channel) -> str:
        """By which the record knows the ticket."""
        found = await self.value(
            "select token from punctual.tickets where channel_id = $1", channel.id
        )
        assert isinstance(found, str)
        return found

    async def closed(self, channel: Channel, within: float = 10.0) -> None:
        async def is_closed() -> bool:
            return await self.status(channel) == "closed"

        await eventually(is_closed, within)

    async def nothing_is_half_open(self, within: float) -> None:
        async def is_so() -> bool:
            return not await self.value(
                """select exists (select from punctual.effects
                                  where kind in ('open-channel', 'welcome'))"""
            )

        await eventually(is_so, within)

    # --- time, passed by moving rows

    async def let_run_out(self, channel: Channel, seconds_ago: float = 0.0) -> None:
        """The deadline is now, or was so long ago. Its job is due when it was, and will find
        nothing to do; the minute's reconciliation removes it."""
        async with self.database() as connection:
            moved = await connection.fetchrow(
                """with before as (
                       select r.* from punctual.close_requests r
                       join punctual.tickets t on t.id = r.ticket_id
                       where t.channel_id = $1 and r.status = 'pending')
                   update punctual.close_requests r set auto_close_at =
                       date_trunc('milliseconds', now() - $2 * interval '1 second')
                   from before where before.id = r.id
                   returning r.ticket_id, before.auto_close_at as before""",
                channel.id,
                seconds_ago,
            )
        assert moved is not None
        self.orphaned.add(timer_key(moved["ticket_id"], moved["before"]))

    async def age_what_is_half_done(self) -> None:
        """As if the bot had been down for ten seconds: what it was at is its own for five, and
        its jobs are for eight."""
        await self.execute(
            """update punctual.effects set due_at = due_at - interval '10 seconds',
                   lease_until = lease_until - interval '10 seconds'"""
        )
        for heartbeat in await self.valkey.call("ZRANGE", f"{QUEUE}stats", 0, -1):
            await self.valkey.call("DEL", heartbeat)

    async def silent_for(self, seconds: float) -> None:
        """As if no bot had been alive for so long. Only while none is."""
        await self.execute(
            "update punctual.heartbeat set seen_at = seen_at - $1 * interval '1 second'", seconds
        )
