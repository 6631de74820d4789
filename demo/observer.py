"""What the truth does: PostgreSQL's rows and Redis's jobs, read again and again, whether the bot
lives or not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from demo.guild import DemoGuild
from demo.virtual_discord import ChangeSignal
from domains.database import DatabaseUnavailable
from domains.scheduled_task.inspection import JobView, RedisAwayError
from domains.settings import Settings
from domains.tasks import cancel, detached
from domains.ticket_lifecycle.explanation import Explanation
from domains.ticket_lifecycle.models import CloseRequest, Ticket, TicketEvent, TicketStatus
from domains.ticket_lifecycle.store import tickets as ticket_store
from operations.running_servers import Addresses
from operations.shell import Shell, shell_on

log = logging.getLogger(__name__)

INTERVAL_S = 0.5
SOON_S = 0.03
"""After something has changed in Discord, so that what comes together is read once."""
READ_TIMEOUT_S = 2.0
MAX_TICKETS = 200


@dataclass(frozen=True, slots=True)
class TicketTruth:
    ticket: Ticket
    request: CloseRequest | None
    explanation: Explanation | None
    events: Sequence[TicketEvent]
    jobs: Sequence[JobView] | None
    """None while Redis is away."""


@dataclass(frozen=True, slots=True)
class Truth:
    tickets: Mapping[int, TicketTruth] = field(default_factory=dict[int, TicketTruth])
    """By id, the newest first."""
    is_postgres_away: bool = False
    """Then the rest is what was read before."""

    def of_channel(self, channel_id: int) -> TicketTruth | None:
        found = (each for each in self.tickets.values() if each.ticket.channel_id == channel_id)
        return next(found, None)


class Observer:
    def __init__(self, shell: Shell, guild: DemoGuild, changed: Callable[[], None]) -> None:
        self._shell = shell
        self._guild = guild
        self._changed = changed
        self.truth = Truth()

    def now(self) -> datetime:
        """By PostgreSQL's clock, as all deadlines are."""
        return self._shell.database.clock.moment()

    async def watch(self, changes: ChangeSignal) -> None:
        """For ever: soon after each change in Discord, and twice a second."""
        while True:
            try:
                await self.refresh()
            except Exception:
                log.exception("What is true could not be read; it is tried again")
            try:
                async with asyncio.timeout(INTERVAL_S):
                    await changes.next()
                await asyncio.sleep(SOON_S)
            except TimeoutError:
                pass

    async def refresh(self) -> None:
        truth = await self._read()
        if truth != self.truth:
            self.truth = truth
            self._changed()

    async def _read(self) -> Truth:
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                return Truth(await self._tickets())
        except (*DatabaseUnavailable, TimeoutError):
            return Truth(self.truth.tickets, is_postgres_away=True)

    async def _tickets(self) -> Mapping[int, TicketTruth]:
        async with self._shell.database.connection() as connection:
            tickets = await ticket_store.newest(connection, self._guild.id, MAX_TICKETS)
        return {ticket.id: await self._ticket(ticket) for ticket in tickets}

    async def _ticket(self, ticket: Ticket) -> TicketTruth:
        known = self.truth.tickets.get(ticket.id)
        if ticket.status is TicketStatus.CLOSED and known is not None and known.ticket == ticket:
            return known
        tickets = self._shell.tickets
        return TicketTruth(
            ticket,
            await tickets.latest_request(ticket.id),
            await tickets.explain(ticket.id),
            await tickets.events(ticket.id),
            await self._jobs(ticket.id),
        )

    async def _jobs(self, ticket_id: int) -> Sequence[JobView] | None:
        try:
            return await self._shell.inspection.about(ticket_id)
        except RedisAwayError:
            return None


@asynccontextmanager
async def observing(
    addresses: Addresses, settings: Settings, guild: DemoGuild, changes: ChangeSignal
) -> AsyncGenerator[Observer]:
    """The same signal tells of changes in Discord and of those that are found here."""
    async with shell_on(addresses, settings) as shell:
        observer = Observer(shell, guild, changes.notify)
        watching = detached(observer.watch(changes))
        try:
            yield observer
        finally:
            await cancel(watching)
