"""A help desk to test with: the lifecycle, its world, and what tests do and look at most."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from domains.database import Database
from domains.ticket_lifecycle import LifecyclePolicy, TicketLifecycle
from domains.ticket_lifecycle.models import AutoCloseOutcome, CloseRequest, CloseTimer, Ticket
from tests.ticket_lifecycle.interruptions import (
    InterruptibleChannels,
    InterruptibleTimers,
    InterruptibleTranscripts,
    Interruptions,
)

GUILD_ID = 1
OPENER_ID = 10
STAFF_ID = 20
STRANGER_ID = 30
DAY = 24.0


@dataclass(frozen=True, slots=True)
class HelpDesk:
    """One process with a bot. `restarted` and `elsewhere` are others in the same world."""

    database: Database
    channels: InterruptibleChannels
    timers: InterruptibleTimers
    transcripts: InterruptibleTranscripts
    transcripts_root: Path
    interruptions: Interruptions
    lifecycle: TicketLifecycle

    @staticmethod
    def in_a_new_world(database: Database, transcripts_root: Path) -> HelpDesk:
        interruptions = Interruptions()
        channels = InterruptibleChannels(interruptions)
        timers = InterruptibleTimers(interruptions)
        transcripts = InterruptibleTranscripts(transcripts_root, interruptions)
        return HelpDesk(
            database,
            channels,
            timers,
            transcripts,
            transcripts_root,
            interruptions,
            TicketLifecycle(database, channels, timers, transcripts),
        )

    def restarted(self, policy: LifecyclePolicy | None = None) -> HelpDesk:
        """Nothing that the old process had in memory is left."""
        return self.elsewhere(self.database, policy)

    def elsewhere(self, database: Database, policy: LifecyclePolicy | None = None) -> HelpDesk:
        """Another process, with a pool of its own."""
        lifecycle = TicketLifecycle(
            database, self.channels, self.timers, self.transcripts, policy or LifecyclePolicy()
        )
        return replace(self, database=database, lifecycle=lifecycle)

    # --- what people do

    async def open(self, opener_id: int = OPENER_ID, guild_id: int = GUILD_ID) -> Ticket:
        return await self.lifecycle.open_ticket(guild_id, opener_id, "It does not work")

    async def ask(self, ticket: Ticket, hours: float | None = DAY) -> CloseRequest:
        request_id, _ = await self.lifecycle.request_close(ticket.id, STAFF_ID, "Solved?", hours)
        return await self.request(request_id)

    def write(self, ticket: Ticket, author_id: int = OPENER_ID) -> int:
        """Somebody writes in the ticket, and the gateway has not told us yet."""
        assert ticket.channel_id is not None
        return self.channels.say(ticket.channel_id, author_id)

    async def write_and_note(self, ticket: Ticket, author_id: int = OPENER_ID) -> bool:
        message_id = self.write(ticket, author_id)
        assert ticket.channel_id is not None
        return await self.lifecycle.note_opener_reply(
            ticket.guild_id, ticket.channel_id, author_id, message_id
        )

    # --- how time passes

    async def run_out(self, request: CloseRequest) -> CloseRequest:
        """The deadline was a second ago; its timer moves with it."""
        had_timer = self.timers.scheduled.pop(_key(request), None)
        await self.database.pool.execute(
            """update close_requests set
                   requested_at = requested_at - (auto_close_at - now() + interval '1 second'),
                   auto_close_at = date_trunc('milliseconds', now()) - interval '1 second'
               where id = $1""",
            request.id,
        )
        moved = await self.request(request.id)
        if had_timer is not None:
            self.timers.scheduled[_key(moved)] = _timer(moved)
        return moved

    async def fire(self, request: CloseRequest) -> AutoCloseOutcome:
        """The alarm clock rings: the job leaves the queue and runs."""
        self.timers.scheduled.pop(_key(request), None)
        return await self.lifecycle.auto_close(request.ticket_id, request.id)

    async def run_out_and_fire(self, request: CloseRequest) -> AutoCloseOutcome:
        return await self.fire(await self.run_out(request))

    async def grow_old(self) -> None:
        """Ten minutes pass."""
        await self.database.pool.execute(
            "update tickets set opened_at = opened_at - interval '10 minutes'"
        )
        await self.database.pool.execute(
            """update close_requests set requested_at = requested_at - interval '10 minutes',
                   auto_close_at = auto_close_at - interval '10 minutes'"""
        )
        aged = [
            replace(timer, auto_close_at=timer.auto_close_at - timedelta(minutes=10))
            for timer in self.timers.scheduled.values()
        ]
        self.timers.scheduled = {(timer.ticket_id, timer.due_ms): timer for timer in aged}

    async def wait_for_retry(self) -> None:
        """Failed closes may be tried again."""
        await self.database.pool.execute(
            "update tickets set close_retry_at = now() - interval '1 minute'"
            " where close_retry_at is not null"
        )

    # --- what can be seen

    async def ticket(self, ticket_id: int) -> Ticket:
        ticket = await self.lifecycle.ticket(ticket_id)
        assert ticket is not None
        return ticket

    async def request(self, request_id: int) -> CloseRequest:
        request = await self.lifecycle.close_request(request_id)
        assert request is not None
        return request

    async def requests(self, ticket: Ticket) -> list[CloseRequest]:
        ids = await self.database.pool.fetch(
            "select id from close_requests where ticket_id = $1 order by id", ticket.id
        )
        return [await self.request(row["id"]) for row in ids]

    async def events(self, ticket: Ticket) -> list[str]:
        return [event.event for event in await self.lifecycle.events(ticket.id)]

    async def count_tickets(self) -> int:
        return await self.database.pool.fetchval("select count(*) from tickets")

    def has_timer(self, request: CloseRequest) -> bool:
        return _key(request) in self.timers.scheduled

    def shown_outcomes(self, request: CloseRequest) -> set[str]:
        return {outcome for id_, outcome in self.channels.outcomes if id_ == request.id}

    def transcripts_of(self, ticket: Ticket) -> list[str]:
        """What lies in the guild's directory for the ticket, half transcripts included."""
        guild = self.transcripts_root / str(ticket.guild_id)
        names = (path.name for path in guild.glob("*") if path.name != ".lock")
        return [name for name in names if name.lstrip(".").split(".")[0] == str(ticket.id)]


def _timer(request: CloseRequest) -> CloseTimer:
    assert request.auto_close_at is not None
    return CloseTimer(request.ticket_id, request.id, request.auto_close_at)


def _key(request: CloseRequest) -> tuple[int, int]:
    """As FakeCloseTimers has it; a request without a deadline has no timer."""
    return request.ticket_id, _timer(request).due_ms if request.auto_close_at else 0
