"""A help desk to test with: the lifecycle, its world, and what tests do and look at most."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from domains.database import Database
from domains.effects import EffectRunner
from domains.effects.effect import Lane
from domains.scheduled_task.job_type import JobServices
from domains.scheduled_task.jobs import discover
from domains.scheduled_task.timer import Timer
from domains.scheduled_task.timer_kind import TimerKind
from domains.scheduled_task.timers import Timers
from domains.ticket_lifecycle import LifecyclePolicy, TicketLifecycle
from domains.ticket_lifecycle.models import AutoCloseOutcome, CloseRequest, Ticket
from tests.ticket_lifecycle.interruptions import (
    InterruptibleChannels,
    InterruptibleTranscripts,
    Interruptions,
    Killed,
    Moment,
)
from tests.waiting import eventually

GUILD_ID = 1
OPENER_ID = 10
STAFF_ID = 20
STRANGER_ID = 30
DAY = 24.0


@dataclass(frozen=True, slots=True)
class HelpDesk:
    """One process with a bot. `restarted` and `elsewhere` are others in the same world.

    Nothing goes on by itself: a test says when the effects are delivered, and when a timer fires.
    """

    database: Database
    channels: InterruptibleChannels
    transcripts: InterruptibleTranscripts
    transcripts_root: Path
    interruptions: Interruptions
    effects: EffectRunner
    lifecycle: TicketLifecycle
    kinds: Sequence[TimerKind]
    timers: Timers

    @staticmethod
    def in_a_new_world(database: Database, transcripts_root: Path) -> HelpDesk:
        interruptions = Interruptions()
        channels = InterruptibleChannels(interruptions)
        transcripts = InterruptibleTranscripts(transcripts_root, interruptions)
        return _process(database, channels, transcripts, transcripts_root, interruptions, None)

    def restarted(self, policy: LifecyclePolicy | None = None) -> HelpDesk:
        """Nothing that the old process had in memory is left."""
        return self.elsewhere(self.database, policy)

    def elsewhere(self, database: Database, policy: LifecyclePolicy | None = None) -> HelpDesk:
        """Another process, with a pool of its own."""
        return _process(
            database,
            self.channels,
            self.transcripts,
            self.transcripts_root,
            self.interruptions,
            policy,
        )

    # --- what goes on by itself in a real process

    async def deliver(self) -> None:
        """All that Discord is to be told now, in its order, until nothing more is due. What
        fails is put off, as its row says."""
        while ids := await self._due_effects():
            for ticket_id, lane in ids:
                with suppress(Exception):
                    await self.effects.deliver(ticket_id, Lane(lane))

    async def _due_effects(self) -> list[tuple[int, int]]:
        records = await self.database.pool.fetch(
            """select e.ticket_id, e.lane from punctual.effects e
               where e.due_at <= clock_timestamp()
                 and coalesce(e.lease_until, '-infinity') < clock_timestamp()
                 and not exists (select from punctual.effects p where p.ticket_id = e.ticket_id
                                 and p.lane = e.lane and p.id < e.id)
               order by e.id"""
        )
        return [(record["ticket_id"], record["lane"]) for record in records]

    async def leases_run_out(self) -> None:
        """The process that held them was killed, and time has passed."""
        await self.database.pool.execute(
            "update punctual.effects set lease_until = now() - interval '1 second'"
            " where lease_until is not null"
        )

    async def killed_at(self, call: str, moment: Moment) -> None:
        """What is due is delivered, and the process dies there."""
        self.interruptions.kill(call, moment)
        with pytest.raises(Killed):
            await self.deliver()
        assert self.interruptions.all_happened
        await self.leases_run_out()

    async def listen(self) -> None:
        """The gateway is there, and every message is heard from now on."""
        await self.lifecycle.record_heartbeat()

    # --- what people do

    async def open(self, opener_id: int = OPENER_ID, guild_id: int = GUILD_ID) -> Ticket:
        return await self.lifecycle.open_ticket(guild_id, opener_id, "It does not work")

    async def ask(self, ticket: Ticket, hours: float | None = DAY) -> CloseRequest:
        request_id, _ = await self.lifecycle.request_close(ticket.id, STAFF_ID, "Solved?", hours)
        return await self.request(request_id)

    async def close(self, ticket: Ticket, reason: str | None = None) -> Ticket:
        """By command; and what follows is done."""
        await self.lifecycle.close_ticket(ticket.id, STAFF_ID, reason)
        await self.deliver()
        return await self.ticket(ticket.id)

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

    async def meanwhile(
        self, ticket: Ticket, act: Coroutine[object, object, object]
    ) -> asyncio.Task[object]:
        """Somebody acts while the ticket is being told something: returns as soon as that is
        decided, with the task that waits for its own turn to be told."""
        before = await self.events(ticket)
        acting = asyncio.create_task(act)

        async def is_decided() -> bool:
            return await self.events(ticket) != before

        await eventually(is_decided)
        return acting

    # --- how time passes

    async def run_out(self, request: CloseRequest) -> CloseRequest:
        """The deadline was a second ago."""
        await self.database.pool.execute(
            """update punctual.close_requests set
                   requested_at = requested_at - (auto_close_at - now() + interval '1 second'),
                   auto_close_at = date_trunc('milliseconds', now()) - interval '1 second'
               where id = $1""",
            request.id,
        )
        return await self.request(request.id)

    async def fire(self, request: CloseRequest) -> AutoCloseOutcome:
        """The alarm clock rings, and what follows is done."""
        outcome = await self.lifecycle.auto_close(request.ticket_id, request.id)
        await self.deliver()
        return outcome

    async def run_out_and_fire(self, request: CloseRequest) -> AutoCloseOutcome:
        return await self.fire(await self.run_out(request))

    async def fire_timer(self, kind: str, subject_id: int) -> bool:
        """A job of any kind runs, whatever the hour. False if nothing wants it any more."""
        return await self.timers.fire(self.kind(kind), subject_id)

    async def grow_old(self) -> None:
        """Ten minutes pass, for everything that is written down."""
        await self.database.pool.execute(
            "update punctual.tickets set opened_at = opened_at - interval '10 minutes'"
        )
        await self.database.pool.execute(
            """update punctual.close_requests set
                   requested_at = requested_at - interval '10 minutes',
                   auto_close_at = auto_close_at - interval '10 minutes'"""
        )
        await self.database.pool.execute(
            """update punctual.effects set due_at = due_at - interval '10 minutes',
                   lease_until = lease_until - interval '10 minutes'"""
        )

    async def wait_for_retry(self) -> None:
        """What has failed may be tried again."""
        await self.database.pool.execute(
            "update punctual.effects set due_at = now() where failures > 0"
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
            "select id from punctual.close_requests where ticket_id = $1 order by id", ticket.id
        )
        return [await self.request(row["id"]) for row in ids]

    async def events(self, ticket: Ticket) -> list[str]:
        return [event.event for event in await self.lifecycle.events(ticket.id)]

    async def count_tickets(self) -> int:
        return await self.database.pool.fetchval("select count(*) from punctual.tickets")

    def kind(self, name: str) -> TimerKind:
        return next(kind for kind in self.kinds if kind.name == name)

    async def timers_of_kind(self, name: str = "auto-close") -> Sequence[Timer]:
        """Those that PostgreSQL wants."""
        return [timer async for page in self.timers.pages(self.kind(name)) for timer in page]

    async def deadlines(self) -> list[datetime]:
        """When timers will close tickets."""
        return [timer.due for timer in await self.timers_of_kind()]

    async def time_left(self, request: CloseRequest) -> timedelta:
        left = await self.lifecycle.time_left(request.id)
        assert left is not None
        return left

    async def has_timer(self, request: CloseRequest, kind: str = "auto-close") -> bool:
        """Whether PostgreSQL wants one, for this request's deadline."""
        timers = await self.timers.of_owners(self.kinds, [request.ticket_id])
        return any(
            timer.kind == kind and timer.payload["close_request_id"] == request.id
            for timer in timers
        )

    async def pending_effects(self, ticket: Ticket) -> list[str]:
        return [effect.kind for effect in await self.lifecycle.pending_effects(ticket.id)]

    def shown_outcomes(self, request: CloseRequest) -> set[str]:
        return {outcome for id_, outcome in self.channels.outcomes if id_ == request.id}

    def transcripts_of(self, ticket: Ticket) -> list[str]:
        """What lies in the guild's directory for the ticket, half transcripts included."""
        guild = self.transcripts_root / str(ticket.guild_id)
        names = (path.name for path in guild.glob("*") if path.name != ".lock")
        return [name for name in names if name.lstrip(".").split(".")[0] == str(ticket.id)]


def _process(  # noqa: PLR0917  # the parts of a process
    database: Database,
    channels: InterruptibleChannels,
    transcripts: InterruptibleTranscripts,
    transcripts_root: Path,
    interruptions: Interruptions,
    policy: LifecyclePolicy | None,
) -> HelpDesk:
    effects = EffectRunner(database)
    lifecycle = TicketLifecycle(database, channels, effects, transcripts, policy)
    kinds = [
        kind for kind in discover(JobServices(database, lifecycle)) if isinstance(kind, TimerKind)
    ]
    for kind in kinds:
        effects.register(kind.effect_types())
    return HelpDesk(
        database=database,
        channels=channels,
        transcripts=transcripts,
        transcripts_root=transcripts_root,
        interruptions=interruptions,
        effects=effects,
        lifecycle=lifecycle,
        kinds=kinds,
        timers=Timers(database),
    )
