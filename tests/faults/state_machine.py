"""The state machine that Hypothesis drives: people, time and faults, in any order.

The domain and its scheduler are the real ones, on the fault tests' PostgreSQL and Valkey;
Discord is in memory.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, cast

import asyncpg
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from bot import connect_domains
from domains.database import Database
from domains.effects import EffectRunner
from domains.errors import UserError
from domains.scheduled_task import ScheduledTask
from domains.tasks import cancel
from domains.ticket_lifecycle import TicketLifecycle
from domains.transcripts import TranscriptStore
from tests.conftest import EMPTY_DATABASE
from tests.fakes import FakeTicketChannels
from tests.faults.expected import Expected
from tests.faults.fault_env import QUEUE
from tests.faults.own_servers import OwnValkey
from tests.faults.properties import RECORDS, wanted_jobs
from tests.waiting import eventually

GUILD_ID = 1
STAFF_ID = 2
MAX_OPEN = 2
"""So that much happens to each."""
A_MOMENT = 0.05 / 3600
RACERS = ("accept", "deny", "close", "reply", "ask", "expire")
ENDS = {"accepted", "denied", "closed", "answered", "superseded", "expired", "pending"}
CLOSING_ENDS = {"accepted", "closed", "expired"}

T = TypeVar("T")
Rule = Callable[..., None]
Act = Callable[[], Awaitable[object]]


class _Machine(Protocol):
    expected: list[Expected]
    acts_since_a_fault: int


def for_a_ticket(fits: Callable[[Expected], bool], **strategies: Any) -> Callable[[Rule], Rule]:
    """A rule for one of the tickets of which `fits` holds."""

    def fitting(machine: _Machine) -> list[Expected]:
        return [it for it in machine.expected if fits(it)]

    def one(machine: _Machine) -> st.SearchStrategy[Expected]:
        return st.sampled_from(fitting(machine))

    def decorate(function: Rule) -> Rule:
        @wraps(function)
        def act(machine: _Machine, it: Expected, **values: Any) -> None:
            machine.acts_since_a_fault += 1
            function(machine, it, **values)

        make: Any = cast("Any", rule)(it=st.runner().flatmap(one), **strategies)
        return precondition(lambda machine: bool(fitting(machine)))(make(act))

    return decorate


def fault(function: Rule) -> Rule:
    """A rule that is of interest only after something else has happened."""

    @wraps(function)
    def strike(machine: _Machine) -> None:
        machine.acts_since_a_fault = 0
        function(machine)

    return precondition(lambda machine: machine.acts_since_a_fault > 0)(rule()(strike))


class KillableScheduledTask(ScheduledTask):
    async def die(self) -> None:
        """As SIGKILL would have it: whatever runs stops where it is, and the kernel hangs up."""
        mine = asyncio.current_task()
        await cancel(*(task for task in asyncio.all_tasks() if task is not mine))
        if self._redis is not None:
            await self._redis.close()
        self._database.pool.terminate()


class TicketStateMachine(RuleBasedStateMachine):
    """`database_url`, `valkey` and `folder` are set by whoever runs it."""

    database_url: str
    valkey: OwnValkey
    folder: Path
    broken: ClassVar[Exception | None] = None
    """What was wrong in the last run in which something was."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.expected: list[Expected] = []
        self.openers = 100
        self.acts_since_a_fault = 0
        self.redis_is_up = True

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        try:
            return self.runner.run(coroutine)
        except Exception as error:
            type(self).broken = error
            raise

    # --- the process

    @initialize()
    def begin(self) -> None:
        self.channels = FakeTicketChannels()
        self.run(self._begin())

    async def _begin(self) -> None:
        await self.valkey.heal()
        connection = await asyncpg.connect(self.database_url)
        await connection.execute(EMPTY_DATABASE)
        await connection.close()
        await self._build()

    async def _build(self) -> None:
        self.database = Database(lambda: self.database_url)
        await self.database.connect()
        self.scheduler = KillableScheduledTask(
            self.database, lambda: self.valkey.url, grace=timedelta(seconds=1)
        )
        self.effects = EffectRunner(self.database)
        self.lifecycle = TicketLifecycle(
            self.database, self.channels, self.effects, TranscriptStore(self.folder)
        )
        connect_domains(self.database, self.lifecycle, self.scheduler, self.effects)
        await self.scheduler.initialize()
        self.effects.start()
        await self.scheduler.reconcile()

    def teardown(self) -> None:
        self.run(self._end())
        self.runner.close()
        gc.collect()  # what the killed ones left open, here where it is no leak

    async def _end(self) -> None:
        if not hasattr(self, "lifecycle"):
            return
        try:
            if not self.redis_is_up:
                await self._redis_returns()
            await self._agrees()
            await self._check_once_each()
        finally:
            await self.scheduler.shutdown()
            await self.effects.stop(timedelta(seconds=1))
            await self.database.close()

    # --- what people do

    @precondition(lambda self: sum(it.is_open for it in self.expected) < MAX_OPEN)
    @rule()
    def open(self) -> None:
        self.openers += 1
        ticket = self.run(self.lifecycle.open_ticket(GUILD_ID, self.openers, "It is broken"))
        self.expected.append(Expected(ticket))

    @for_a_ticket(lambda it: it.is_open, hours=st.sampled_from([None, 1.0, 24.0, A_MOMENT]))
    def ask(self, it: Expected, hours: float | None) -> None:
        self.run(self.lifecycle.request_close(it.ticket.id, STAFF_ID, None, hours))
        it.ask(timed=hours is not None)
        if hours == A_MOMENT:
            it.run_out()
            self.run(eventually(lambda: self._is_as_expected(it)))

    @for_a_ticket(lambda it: it.pending, how=st.sampled_from(["accept", "deny", "withdraw"]))
    def answer(self, it: Expected, how: str) -> None:
        lifecycle, ticket = self.lifecycle, it.ticket
        if how == "accept":
            self.run(lifecycle.accept_close_request(ticket.id, ticket.opener_id))
            it.resolve("accepted")
            it.status = "closed"
        elif how == "deny":
            self.run(lifecycle.cancel_close_request(ticket.id, ticket.opener_id))
            it.resolve("denied")
        else:
            self.run(lifecycle.cancel_close_request(ticket.id, STAFF_ID))
            it.resolve("withdrawn")

    @for_a_ticket(lambda it: it.is_open)
    def reply(self, it: Expected) -> None:
        channel_id = it.ticket.channel_id
        assert channel_id is not None
        message_id = self.channels.say(channel_id, it.ticket.opener_id)
        answered = self.run(
            self.lifecycle.note_opener_reply(GUILD_ID, channel_id, it.ticket.opener_id, message_id)
        )
        assert answered == it.may_run_out
        if answered:
            it.resolve("answered")

    def reply_unseen(self, it: Expected) -> None:
        """The gateway is away, or the bot."""
        assert it.ticket.channel_id is not None
        self.channels.say(it.ticket.channel_id, it.ticket.opener_id)
        self.lifecycle.discord_status.misses.note()
        it.unseen_reply = True

    @for_a_ticket(lambda it: it.may_be_extended)
    def ask_for_more_time(self, it: Expected) -> None:
        self.run(self.lifecycle.ask_for_more_time(it.ticket.id, it.ticket.opener_id))
        it.extensions += 1

    @for_a_ticket(lambda it: it.is_open)
    def exclude_or_include(self, it: Expected) -> None:
        if it.excluded:
            self.run(self.lifecycle.include_in_autoclose(it.ticket.id, STAFF_ID))
        else:
            self.run(self.lifecycle.exclude_from_autoclose(it.ticket.id, STAFF_ID))
        it.excluded = not it.excluded

    @for_a_ticket(lambda it: it.is_open)
    def close(self, it: Expected) -> None:
        self.run(self.lifecycle.close_ticket(it.ticket.id, STAFF_ID))
        it.close()

    @for_a_ticket(lambda _: True)
    def try_what_is_not_allowed(self, it: Expected) -> None:
        """Each is refused with a sentence, and changes nothing."""
        lifecycle, ticket_id, opener_id = self.lifecycle, it.ticket.id, it.ticket.opener_id
        attempts: list[tuple[bool, Act]] = [
            (it.is_open, lambda: lifecycle.request_close(ticket_id, STAFF_ID, None, 1.0)),
            (it.is_open, lambda: lifecycle.close_ticket(ticket_id, STAFF_ID)),
            (it.pending, lambda: lifecycle.accept_close_request(ticket_id, opener_id)),
            (it.pending, lambda: lifecycle.cancel_close_request(ticket_id, opener_id)),
            (it.pending, lambda: lifecycle.cancel_close_request(ticket_id, STAFF_ID)),
            (it.may_be_extended, lambda: lifecycle.ask_for_more_time(ticket_id, opener_id)),
            (it.may_be_excluded, lambda: lifecycle.exclude_from_autoclose(ticket_id, STAFF_ID)),
            (it.may_be_included, lambda: lifecycle.include_in_autoclose(ticket_id, STAFF_ID)),
            (False, lambda: lifecycle.accept_close_request(ticket_id, STAFF_ID)),
            (False, lambda: lifecycle.ask_for_more_time(ticket_id, STAFF_ID)),
        ]
        self.run(self._are_refused([act for allowed, act in attempts if not allowed]))
        assert self.run(self._is_as_expected(it))

    async def _are_refused(self, acts: list[Act]) -> None:
        outcomes = await asyncio.gather(*(act() for act in acts), return_exceptions=True)
        for outcome in outcomes:
            assert isinstance(outcome, UserError), outcome

    @for_a_ticket(lambda it: it.may_be_decided, racers=st.permutations(RACERS))
    def race(self, it: Expected, racers: list[str]) -> None:
        """Two at once: each may win, but they may not both. Then the ticket is closed: who won must
        not decide how the run goes on, or Hypothesis could not repeat it."""
        self.run(self._race(it, racers[:2]))
        if it.is_open:
            self.run(self.lifecycle.close_ticket(it.ticket.id, STAFF_ID))
            it.close()

    async def _race(self, it: Expected, racers: list[str]) -> None:
        lifecycle, ticket, opener_id = self.lifecycle, it.ticket, it.ticket.opener_id
        assert ticket.channel_id is not None
        message_id = self.channels.say(ticket.channel_id, opener_id) if "reply" in racers else 0
        if "expire" in racers:
            await self._move_deadline(it)
        doing: dict[str, Act] = {
            "accept": lambda: lifecycle.accept_close_request(ticket.id, opener_id),
            "deny": lambda: lifecycle.cancel_close_request(ticket.id, opener_id),
            "close": lambda: lifecycle.close_ticket(ticket.id, STAFF_ID),
            "reply": lambda: lifecycle.note_opener_reply(
                GUILD_ID, ticket.channel_id or 0, opener_id, message_id
            ),
            "ask": lambda: lifecycle.request_close(ticket.id, STAFF_ID, None, 1.0),
            "expire": lambda: lifecycle.auto_close(ticket.id),
        }
        outcomes = await asyncio.gather(
            *(doing[racer]() for racer in racers), return_exceptions=True
        )
        for outcome in outcomes:
            assert not isinstance(outcome, Exception) or isinstance(outcome, UserError), outcome
        await eventually(lambda: self._is_decided(it))
        self._learn(it, racers, *await self._as_it_is(it))

    def _learn(self, it: Expected, racers: list[str], status: str, requests: list[str]) -> None:
        """Who won is not foretold; that it was one of them is."""
        before = len(it.requests)
        asked = len(requests) > before
        assert not asked or "ask" in racers
        assert requests[: before - 1] == it.requests[:-1]
        assert requests[before - 1] in ENDS
        # Who is denied may still be closed by hand, the next moment.
        closes = "close" in racers or bool(CLOSING_ENDS & set(requests))
        assert (status == "closed") == closes
        it.status, it.requests = status, requests

    # --- time

    @for_a_ticket(lambda it: it.may_run_out, answered=st.booleans())
    def time_runs_out(self, it: Expected, answered: bool) -> None:
        """The row is moved; its job knows nothing, and the watch has to find it."""
        if answered:
            self.reply_unseen(it)
        self.run(self._move_deadline(it))
        it.run_out()
        self.run(eventually(lambda: self._is_as_expected(it)))

    async def _move_deadline(self, it: Expected) -> None:
        await self.database.pool.execute(
            """update punctual.close_requests set auto_close_at =
                   date_trunc('milliseconds', now() - interval '2 seconds')
               where ticket_id = $1 and status = 'pending' and auto_close_at is not null""",
            it.ticket.id,
        )

    # --- faults

    @fault
    def kill(self) -> None:
        self.run(self.scheduler.die())
        self.run(self._build())

    @precondition(lambda self: self.redis_is_up)
    @fault
    def flush(self) -> None:
        self.run(self.valkey.call("FLUSHALL"))

    @precondition(lambda self: self.redis_is_up)
    @fault
    def redis_dies(self) -> None:
        self.valkey.kill()
        self.redis_is_up = False

    @precondition(lambda self: not self.redis_is_up)
    @rule(empty=st.booleans())
    def redis_returns(self, empty: bool) -> None:
        self.run(self._redis_returns(empty=empty))

    async def _redis_returns(self, *, empty: bool = False) -> None:
        await (self.valkey.restart_empty() if empty else self.valkey.restart())
        self.redis_is_up = True
        await eventually(lambda: self.scheduler.available)

    # --- looking

    async def _as_it_is(self, it: Expected) -> tuple[str, list[str]]:
        status = await self.database.pool.fetchval(
            "select status from punctual.tickets where id = $1", it.ticket.id
        )
        requests = await self.database.pool.fetch(
            "select status from punctual.close_requests where ticket_id = $1 order by id",
            it.ticket.id,
        )
        return status, [row["status"] for row in requests]

    async def _is_as_expected(self, it: Expected) -> bool:
        return await self._as_it_is(it) == (it.status, it.requests)

    async def _is_decided(self, it: Expected) -> bool:
        """Nothing is overdue and nothing half done."""
        return not await self.database.pool.fetchval(
            """select exists (select from punctual.effects where ticket_id = $1) or exists (
                   select from punctual.close_requests r
                   join punctual.tickets t on t.id = r.ticket_id
                   where t.id = $1 and r.status = 'pending' and r.auto_close_at <= now()
                     and t.status = 'open' and not t.exclude_from_autoclose)""",
            it.ticket.id,
        )

    async def _check_once_each(self) -> None:
        for it in self.expected:
            await eventually(lambda it=it: self._is_as_expected(it))
            times = int(it.status == "closed")
            ticket_id = it.ticket.id
            assert [logged for logged, _ in self.channels.logged].count(ticket_id) == times
            assert self.channels.dms.count(ticket_id) == times
            assert self.channels.removed.count(ticket_id) == times
            assert self.channels.welcomed.count(ticket_id) == 1
        early = await self.database.pool.fetchval(
            "select count(*) from punctual.ticket_events where late_ms < 0"
        )
        assert early == 0

    async def _wanted(self) -> frozenset[str]:
        connection = await asyncpg.connect(self.database_url)
        try:
            return await wanted_jobs(connection)
        finally:
            await connection.close()

    async def _agrees(self) -> None:
        """After a reconciliation, Redis knows the timers that are wanted, and no others."""

        async def is_so() -> bool:
            await self.scheduler.reconcile()
            wanted = await self._wanted()
            jobs = await self.valkey.call("ZRANGE", f"{QUEUE}incomplete", 0, -1)
            return wanted == frozenset(job.decode().removeprefix(RECORDS) for job in jobs)

        await eventually(is_so, 15)
