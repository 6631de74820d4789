"""What must hold after every fault, whatever it was.

`settled` waits until nothing is under way any more; `broken_promises` then compares PostgreSQL,
Redis and what people saw in Discord, and says in a sentence each what does not agree.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from domains.effects.effect import Lane
from domains.scheduled_task import timer_store
from domains.scheduled_task.job_type import JobServices
from domains.scheduled_task.jobs import discover
from domains.scheduled_task.timer_kind import TimerKind
from domains.scheduled_task.timer_store import Wanted
from tests.faults.fault_env import QUEUE, FaultEnv, timer_key
from tests.faults.record import MARK, Sight
from tests.scheduled_task.redis_view import INSTALLATION_ID, record_key
from tests.waiting import eventually

if TYPE_CHECKING:
    import asyncpg

    from domains.database import Connection

LATEST_S = 5.0
"""After a deadline, or after the outage in which it fell."""
SETTLING_S = 30.0
AGREEING_S = 5.0
MANY = 1_000_000
CONNECTIONS = 20
"""Of one bot's pool."""

RECORDS = record_key("")
KNOWN_KEYS = re.compile(
    f"{QUEUE}(incomplete|queued|active|stats|subjects|completed|failed|worker_info:[0-9a-f-]+)"
    f"|{RECORDS}.*|punctual:{INSTALLATION_ID}:probe"
)
_NOBODY: Any = None
KINDS = [
    Wanted(kind.name, kind.wanted)
    for kind in discover(JobServices(_NOBODY, _NOBODY))
    if isinstance(kind, TimerKind)
]


@dataclass(frozen=True)
class Ticket:
    id: int
    number: int
    channel_id: int | None
    guild_id: int
    status: str
    token: str
    attention: str | None
    close_cause: str | None
    exclude_from_autoclose: bool


@dataclass(frozen=True)
class Request:
    id: int
    ticket_id: int
    status: str
    auto_close_at: datetime | None
    resolved_at: datetime | None
    message_id: int | None
    extensions: int


@dataclass(frozen=True)
class Happening:
    ticket_id: int
    event: str
    at: datetime
    late_ms: int | None


@dataclass(frozen=True)
class Effect:
    """What Discord is still to be told."""

    ticket_id: int
    kind: str
    lane: int


@dataclass(frozen=True)
class State:
    tickets: Sequence[Ticket]
    requests: Sequence[Request]
    events: Sequence[Happening]
    effects: Sequence[Effect]
    timers: frozenset[str]
    """The keys of the jobs that PostgreSQL wants, of all kinds."""
    now: datetime

    def requests_of(self, ticket: Ticket) -> list[Request]:
        return [request for request in self.requests if request.ticket_id == ticket.id]

    def pending_of(self, ticket: Ticket) -> Request | None:
        of_ticket = self.requests_of(ticket)
        return next((request for request in of_ticket if request.status == "pending"), None)

    def events_of(self, ticket: Ticket, event: str) -> list[Happening]:
        return [each for each in self.events if (each.ticket_id, each.event) == (ticket.id, event)]

    def effects_of(self, ticket: Ticket) -> list[str]:
        return [effect.kind for effect in self.effects if effect.ticket_id == ticket.id]

    def timer_of(self, ticket: Ticket) -> str | None:
        """The key of the job that ought to wait for this ticket's deadline."""
        pending = self.pending_of(ticket)
        if (
            pending is None
            or pending.auto_close_at is None
            or pending.message_id is None
            or ticket.status != "open"
            or ticket.exclude_from_autoclose
            or "announce-grace" in self.effects_of(ticket)
        ):
            return None
        return timer_key(ticket.id, pending.auto_close_at)


async def look(fault_env: FaultEnv) -> State:
    async with (
        fault_env.database() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        return State(
            await _read(connection, Ticket, "tickets"),
            await _read(connection, Request, "close_requests"),
            await _read(connection, Happening, "ticket_events"),
            await _read(connection, Effect, "effects"),
            await wanted_jobs(connection),
            await connection.fetchval("select now()"),
        )


async def wanted_jobs(connection: asyncpg.Connection[asyncpg.Record]) -> frozenset[str]:
    """The keys of all that PostgreSQL wants."""
    timers = [
        await timer_store.after(cast("Connection", connection), kind, 0, MANY) for kind in KINDS
    ]
    return frozenset(timer.key for of_kind in timers for timer in of_kind)


async def _read(
    connection: asyncpg.Connection[asyncpg.Record], model: type[Any], table: str
) -> list[Any]:
    columns = ", ".join(model.__dataclass_fields__)
    rows = await connection.fetch(f"select {columns} from punctual.{table} order by id")
    return [model(**row) for row in rows]


# --- nothing is under way


async def settled(fault_env: FaultEnv, within: float = SETTLING_S) -> None:
    doing = ["nothing was looked at"]

    async def nothing_is_under_way() -> bool:
        doing[:] = under_way(await look(fault_env))
        if not doing:
            doing.extend(await _jobs_under_way(fault_env))
        return not doing

    try:
        await eventually(nothing_is_under_way, within)
    except AssertionError:
        raise AssertionError(
            f"still under way after {within:g} s: {'; '.join(doing)}\n{fault_env.bot.log}"
        ) from None


def under_way(state: State) -> list[str]:
    """What is to be done; in a ticket that needs a person, only the call for one."""
    attended = {ticket.id for ticket in state.tickets if ticket.attention is not None}
    doing = [
        f"{effect.kind} of ticket {effect.ticket_id} is to be done"
        for effect in state.effects
        if effect.ticket_id not in attended or effect.lane == Lane.ATTENTION
    ]
    for ticket in state.tickets:
        pending = state.pending_of(ticket)
        if (
            state.timer_of(ticket) is not None
            and pending is not None
            and pending.auto_close_at is not None
            and pending.auto_close_at <= state.now
            and ticket.id not in attended
        ):
            doing.append(f"request {pending.id} is overdue")
        if ticket.status == "closing" and not state.effects_of(ticket):
            doing.append(f"nobody will close ticket {ticket.id}")
    return doing


async def _jobs_under_way(fault_env: FaultEnv) -> list[str]:
    lengths = {
        name: await fault_env.valkey.call("LLEN", f"{QUEUE}{name}") for name in ("queued", "active")
    }
    return [f"{length} jobs are {name}" for name, length in lengths.items() if length]


# --- what must hold then


async def assert_kept(
    fault_env: FaultEnv,
    *,
    within: float = SETTLING_S,
    redis: bool = True,
    lateness: bool = True,
    after: str = "",
) -> None:
    """Wait until all is quiet, then hold the world against every promise."""
    await settled(fault_env, within)
    broken = await broken_promises(fault_env, redis=redis, lateness=lateness)
    if broken:
        raise AssertionError(
            "\n".join([after, *broken, "--- the last bot's log:", fault_env.bot.log])
        )


async def broken_promises(
    fault_env: FaultEnv, *, redis: bool = True, lateness: bool = True
) -> list[str]:
    state = await look(fault_env)
    broken = [*never_early(state), *once(fault_env, state), *no_stray_channels(fault_env, state)]
    broken += [*answered_requests_never_close(state), *messages_tell_the_truth(fault_env, state)]
    if lateness:
        broken += never_late(fault_env, state)
    if redis:
        broken += await redis_comes_to_agree(fault_env)
    broken += await no_leaked_connections(fault_env)
    broken += [f"the stand-in met {what}" for what in fault_env.discord.unexpected]
    broken += [f"Discord would object: {what}" for what in fault_env.discord.violations]
    return broken


def never_early(state: State) -> list[str]:
    return [
        f"ticket {event.ticket_id} was closed {-event.late_ms} ms before its deadline"
        for event in state.events
        if event.late_ms is not None and event.late_ms < 0
    ]


def never_late(fault_env: FaultEnv, state: State) -> list[str]:
    """The decision by PostgreSQL's clock, the end by that of who looked at the channel; neither by
    the bot's own account."""
    broken: list[str] = []
    for ticket in state.tickets:
        expired = [each for each in state.requests_of(ticket) if each.status == "expired"]
        for request in expired:
            assert request.auto_close_at is not None
            assert request.resolved_at is not None
            deadline = request.auto_close_at.timestamp()
            allowed = latest_after(fault_env, deadline)
            gone = fault_env.record.deletions(ticket.channel_id or 0)
            for what, at in [
                ("decided", request.resolved_at.timestamp()),
                *(("gone", each) for each in gone),
            ]:
                if at < deadline:
                    broken.append(
                        f"ticket {ticket.id} was {what} {deadline - at:.3f} s before its time"
                    )
                if at > allowed:
                    broken.append(
                        f"ticket {ticket.id} was {what} {at - deadline:.1f} s after its time, "
                        f"and {allowed - deadline:.1f} s would have been excused"
                    )
    return broken


def latest_after(fault_env: FaultEnv, deadline: float) -> float:
    """Five seconds after the deadline, or what is allowed after the outage in which that falls."""
    latest = deadline + LATEST_S
    for outage in sorted(fault_env.outages, key=lambda each: each.began):
        if outage.began <= latest and outage.ended is not None:
            latest = max(latest, outage.ended + outage.recovery_s)
    return latest


def once(fault_env: FaultEnv, state: State) -> list[str]:
    """Each thing that people see of a ticket's life, they see once."""
    broken: list[str] = []

    def expect(what: str, found: int, wanted: int) -> None:
        if found != wanted:
            broken.append(f"{what}: {found} instead of {wanted}")

    for ticket in state.tickets:
        name = f"ticket {ticket.id}"
        record = fault_env.record
        closed = ticket.status == "closed"
        by_hand = ticket.channel_id in fault_env.deleted_by_hand
        if not record.channels_of(ticket.token):
            continue  # a stranger's, that was never in this Discord
        expect(f"channels of {name}", len(record.channels_of(ticket.token)), 1)
        expect(f"welcomes in {name}", len(record.welcomes(ticket.token)), 1)
        expect(f"closes logged of {name}", len(record.closes_logged(ticket.token)), int(closed))
        expect(f"DMs about {name}", len(record.dms(ticket.token)), int(closed))
        expect(f"closed events of {name}", len(state.events_of(ticket, "closed")), int(closed))
        if ticket.channel_id is not None:
            deletions = len(record.deletions(ticket.channel_id))
            expect(f"deletions of the channel of {name}", deletions, int(closed))
        if closed and not by_hand:
            expect(f"transcripts of {name}", len(transcripts(fault_env, ticket)), 1)
            attached = [
                file for close in record.closes_logged(ticket.token) for file in _pages(close)
            ]
            expect(f"pages posted of {name}", len(attached), 1)
        for request in state.requests_of(ticket):
            expect(
                f"messages of request {request.id}",
                len(record.asked(request.id)),
                int(request.message_id is not None),
            )
            replies = len(record.replies(request.message_id or 0))
            if replies > 1 + (request.extensions > 0):
                broken.append(f"{replies} replies to request {request.id}")
    return broken


def _pages(close: Sight) -> list[str]:
    names = [str(file["filename"]) for file in close.message["attachments"]]
    return [name for name in names if name.endswith(".html")]


def transcripts(fault_env: FaultEnv, ticket: Ticket) -> list[Path]:
    """Half transcripts and replaced ones among them, if any were left."""
    guild = Path(fault_env.environment["DATA_DIR"], "transcripts", str(ticket.guild_id))
    found = guild.glob("*") if guild.exists() else ()
    return [path for path in found if path.name.lstrip(".").split(".")[0] == str(ticket.id)]


def no_stray_channels(fault_env: FaultEnv, state: State) -> list[str]:
    """A channel without a ticket would stand for ever, a ticket without one count for ever."""
    known = {ticket.channel_id for ticket in state.tickets}
    broken = [
        f"{channel.name} belongs to no ticket"
        for channel in fault_env.record.channels.values()
        if MARK.search(channel.topic or "") and not channel.deleted and channel.id not in known
    ]
    broken += [
        f"ticket {ticket.id} is open, but its channel is gone"
        for ticket in state.tickets
        if ticket.status == "open"
        and (channel := fault_env.record.channels.get(ticket.channel_id or 0)) is not None
        and channel.deleted
    ]
    return broken


def answered_requests_never_close(state: State) -> list[str]:
    broken: list[str] = []
    for ticket in state.tickets:
        expired = [each for each in state.requests_of(ticket) if each.status == "expired"]
        by_clock = ticket.close_cause == "expired"
        if len(expired) != int(by_clock):
            broken.append(
                f"ticket {ticket.id} has {len(expired)} expired requests, but was closed by "
                f"{ticket.close_cause or 'nobody'}"
            )
        if ticket.status != "open" and state.pending_of(ticket) is not None:
            broken.append(f"ticket {ticket.id} is {ticket.status} with a request still pending")
    return broken


def messages_tell_the_truth(fault_env: FaultEnv, state: State) -> list[str]:
    """In a ticket that stands: the deadline that holds, or no buttons where all is decided."""
    broken: list[str] = []
    for ticket in state.tickets:
        channel = fault_env.record.channels.get(ticket.channel_id or 0)
        if channel is None or channel.deleted or ticket.status != "open":
            continue
        for request in state.requests_of(ticket):
            message = channel.messages.get(request.message_id or 0)
            if message is None:
                continue
            if request.status != "pending" and message.buttons:
                broken.append(
                    f"request {request.id} is {request.status}, but its message still asks"
                )
            if (
                request.status == "pending"
                and request.auto_close_at is not None
                and not ticket.exclude_from_autoclose
                and f"<t:{int(request.auto_close_at.timestamp())}:F>" not in message.text
            ):
                broken.append(f"the message of request {request.id} tells another deadline")
    return broken


async def redis_comes_to_agree(fault_env: FaultEnv) -> list[str]:
    """Soon, that is: it is reconciled when it returns."""
    broken: list[str] = []

    async def agrees() -> bool:
        broken[:] = await redis_agrees(fault_env, await look(fault_env))
        return not broken

    with suppress(AssertionError):
        await eventually(agrees, AGREEING_S)
    return broken


async def redis_agrees(fault_env: FaultEnv, state: State) -> list[str]:
    """No deadline without a job, no job without a deadline, and no key of which nobody knows."""
    keys = [key.decode() for key in await fault_env.valkey.call("KEYS", "*")]
    incomplete, subjects = await _jobs(fault_env, "incomplete"), await _jobs(fault_env, "subjects")
    finished = await _jobs(fault_env, "failed") | await _jobs(fault_env, "completed")
    timers = {state.timer_of(ticket) for ticket in state.tickets} - {None}
    excused = {state.timer_of(ticket) for ticket in state.tickets if ticket.attention is not None}
    broken = [f"nothing wants {key}, a deadline's" for key in timers - state.timers]
    broken += [f"no job waits for {key}" for key in state.timers - incomplete - excused]
    strays = incomplete - state.timers - fault_env.orphaned
    broken += [f"nothing wants the job {key}" for key in strays]
    broken += [f"{key} is in the index, but no job" for key in subjects - incomplete]
    broken += [f"{key} is a job, but not in the index" for key in incomplete - subjects]
    broken += [f"{key} is a key nobody knows" for key in keys if not KNOWN_KEYS.fullmatch(key)]
    records = {key.removeprefix(RECORDS) for key in keys if key.startswith(RECORDS)}
    leaked = {key for key in records - incomplete - finished if not key.endswith(":unreadable")}
    broken += [f"the record of {key} was left behind" for key in leaked]
    return broken


async def _jobs(fault_env: FaultEnv, name: str) -> set[str]:
    found: list[bytes] = await fault_env.valkey.call("ZRANGE", f"{QUEUE}{name}", 0, -1)
    return {each.decode().removeprefix(RECORDS) for each in found}


async def no_leaked_connections(fault_env: FaultEnv) -> list[str]:
    living = sum(bot.running for bot in fault_env.bots)
    connections = await fault_env.rows(
        """select state from pg_stat_activity
           where application_name = 'punctual' and datname = current_database()"""
    )
    broken: list[str] = []
    if len(connections) > CONNECTIONS * max(living, 1):
        broken.append(f"{living} bots hold {len(connections)} connections")
    held = await fault_env.value(
        """select count(*) from pg_locks l join pg_database d on d.oid = l.database
           where l.locktype = 'advisory' and d.datname = current_database()"""
    )
    if held:
        broken.append(f"{held} advisory locks are held though nothing is under way")
    return broken
