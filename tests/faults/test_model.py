"""Whatever people, time and faults do in whatever order, tickets are what a simple model says.

The domain and its scheduler are the real ones, on the laboratory's PostgreSQL and Valkey; Discord
is in memory. Hypothesis makes up the stories, and shortens those in which something goes wrong.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from domains.database import Database
from domains.errors import UserError
from domains.scheduled_task import ScheduledTask
from domains.scheduled_task.job_type import JobServices
from domains.scheduled_task.jobs import discover
from domains.tasks import cancel
from domains.ticket_lifecycle import TicketLifecycle
from domains.ticket_lifecycle.models import Ticket
from domains.transcripts import TranscriptStore
from tests.fakes import FakeTicketChannels
from tests.faults.kills import SEED
from tests.faults.laboratory import QUEUE, timer_key
from tests.faults.own_servers import OwnValkey
from tests.faults.properties import RECORDS
from tests.waiting import eventually

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
"""Who is killed closes nothing."""

GUILD_ID = 1
STAFF_ID = 2
MOST_EXTENSIONS = 3
SOON_HOURS = 0.2 / 3600
T = TypeVar("T")


@dataclass
class Expected:
    """One ticket, as it ought to be."""

    ticket: Ticket
    status: str = "open"
    excluded: bool = False
    requests: list[str] = field(default_factory=list[str])
    """Their statuses, in order."""
    timed: bool = False
    extensions: int = 0
    unseen_reply: bool = False
    """The opener has written since the last request, and the gateway has not told."""

    @property
    def pending(self) -> bool:
        return self.requests[-1:] == ["pending"]

    def resolve(self, status: str) -> None:
        self.requests[-1] = status

    def close(self) -> None:
        self.status = "closed"
        if self.pending:
            self.resolve("closed")


class Mortal(ScheduledTask):
    async def die(self) -> None:
        """As SIGKILL would have it: whatever runs stops where it is, and the kernel hangs up."""
        mine = asyncio.current_task()
        await cancel(*(task for task in asyncio.all_tasks() if task is not mine))
        for client in self._clients:
            await client.aclose()
        self._database.pool.terminate()


class Stories(RuleBasedStateMachine):
    """`database_url`, `valkey` and `folder` are set by who runs it."""

    database_url: str
    valkey: OwnValkey
    folder: Path

    tickets: Bundle[Expected] = Bundle("tickets")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.expected: list[Expected] = []
        self.openers = 100
        self.redis_is_up = True

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(coroutine)

    # --- the process

    @initialize()
    def begin(self) -> None:
        self.channels = FakeTicketChannels()
        self.run(self._begin())

    async def _begin(self) -> None:
        await self.valkey.heal()
        connection = await asyncpg.connect(self.database_url)
        await connection.execute("truncate tickets, guild_settings restart identity cascade")
        await connection.close()
        await self._build()

    async def _build(self) -> None:
        self.database = Database(lambda: self.database_url)
        await self.database.connect()
        self.scheduler = Mortal(self.database, lambda: self.valkey.url, grace=timedelta(seconds=1))
        self.lifecycle = TicketLifecycle(
            self.database, self.channels, self.scheduler, TranscriptStore(self.folder)
        )
        self.scheduler.register(discover(JobServices(self.lifecycle)))
        await self.scheduler.initialize()
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
            await self.database.close()

    # --- what people do

    @rule(target=tickets)
    def open(self) -> Expected:
        self.openers += 1
        ticket = self.run(self.lifecycle.open_ticket(GUILD_ID, self.openers, "It is broken"))
        expected = Expected(ticket)
        self.expected.append(expected)
        return expected

    @rule(it=tickets, hours=st.sampled_from([None, 1.0, 24.0]))
    def ask(self, it: Expected, hours: float | None) -> None:
        self._try(it, self._asking(it, hours), allowed=it.status == "open")
        if it.status == "open":
            self._asked(it, timed=hours is not None)

    def _asking(self, it: Expected, hours: float | None) -> Awaitable[object]:
        return self.lifecycle.request_close(it.ticket.id, STAFF_ID, None, hours)

    def _asked(self, it: Expected, *, timed: bool) -> None:
        if it.pending:
            it.resolve("superseded")
        it.requests.append("pending")
        it.timed, it.extensions, it.unseen_reply = timed, 0, False

    @rule(it=tickets)
    def accept(self, it: Expected) -> None:
        allowed = it.status == "open" and it.pending
        self._try(
            it, self.lifecycle.accept_close_request(it.ticket.id, it.ticket.opener_id), allowed
        )
        if allowed:
            it.resolve("accepted")
            it.close()

    @rule(it=tickets, by_staff=st.booleans())
    def deny_or_withdraw(self, it: Expected, by_staff: bool) -> None:
        allowed = it.status == "open" and it.pending
        user_id = STAFF_ID if by_staff else it.ticket.opener_id
        self._try(it, self.lifecycle.cancel_close_request(it.ticket.id, user_id), allowed)
        if allowed:
            it.resolve("withdrawn" if by_staff else "denied")

    @rule(it=tickets, seen=st.booleans())
    def reply(self, it: Expected, seen: bool) -> None:
        channel_id = it.ticket.channel_id
        assert channel_id is not None
        if it.status != "open":
            return
        message_id = self.channels.say(channel_id, it.ticket.opener_id)
        if not seen:
            it.unseen_reply = True
            return
        answered = self.run(
            self.lifecycle.note_opener_reply(GUILD_ID, channel_id, it.ticket.opener_id, message_id)
        )
        assert answered == (it.pending and it.timed)
        if answered:
            it.resolve("answered")

    @rule(it=tickets)
    def ask_for_more_time(self, it: Expected) -> None:
        allowed = (
            it.status == "open" and it.pending and it.timed and it.extensions < MOST_EXTENSIONS
        )
        self._try(it, self.lifecycle.ask_for_more_time(it.ticket.id, it.ticket.opener_id), allowed)
        it.extensions += allowed

    @rule(it=tickets)
    def exclude(self, it: Expected) -> None:
        allowed = it.status == "open" and not it.excluded
        self._try(it, self.lifecycle.exclude_from_autoclose(it.ticket.id, STAFF_ID), allowed)
        it.excluded |= allowed

    @rule(it=tickets)
    def include(self, it: Expected) -> None:
        allowed = it.status == "open" and it.excluded
        self._try(it, self.lifecycle.include_in_autoclose(it.ticket.id, STAFF_ID), allowed)
        it.excluded &= not allowed

    @rule(it=tickets)
    def close(self, it: Expected) -> None:
        allowed = it.status == "open"
        self._try(it, self.lifecycle.close_ticket(it.ticket.id, STAFF_ID), allowed)
        if allowed:
            it.close()

    @rule(
        it=tickets, actions=st.permutations(["accept", "deny", "close", "reply", "ask", "expire"])
    )
    def race(self, it: Expected, actions: list[str]) -> None:
        """Two at once: each may win, but they may not both."""
        if it.status != "open" or not it.pending or it.excluded:
            return
        self.run(self._race(it, actions[:2]))

    async def _race(self, it: Expected, actions: list[str]) -> None:
        ticket, opener_id = it.ticket, it.ticket.opener_id
        assert ticket.channel_id is not None
        message_id = self.channels.say(ticket.channel_id, opener_id) if "reply" in actions else 0
        if "expire" in actions:
            await self._move_deadline(it)
        doing: dict[str, Callable[[], Awaitable[object]]] = {
            "accept": lambda: self.lifecycle.accept_close_request(ticket.id, opener_id),
            "deny": lambda: self.lifecycle.cancel_close_request(ticket.id, opener_id),
            "close": lambda: self.lifecycle.close_ticket(ticket.id, STAFF_ID),
            "reply": lambda: self.lifecycle.note_opener_reply(
                GUILD_ID, ticket.channel_id or 0, opener_id, message_id
            ),
            "ask": lambda: self._asking(it, 1.0),
            "expire": lambda: self.lifecycle.auto_close(ticket.id),
        }
        outcomes = await asyncio.gather(
            *(doing[action]() for action in actions), return_exceptions=True
        )
        for outcome in outcomes:
            assert not isinstance(outcome, Exception) or isinstance(outcome, UserError), outcome
        await eventually(lambda: self._is_decided(it))
        status, requests = await self._as_it_is(it)
        assert requests[: len(it.requests) - 1] == it.requests[:-1]
        asked = len(requests) > len(it.requests)
        assert not asked or "ask" in actions
        ends = {"accepted", "denied", "closed", "answered", "superseded", "expired"}
        assert requests[len(it.requests) - 1] in ends | {"pending"}
        closing = {"accepted", "closed", "expired"}
        assert (status == "closed") == bool(closing & set(requests))
        if asked:
            it.timed, it.extensions = True, 0
        it.unseen_reply = "reply" in actions and requests[-1] == "pending" and not asked
        it.status, it.requests = status, requests

    # --- time

    @rule(it=tickets)
    def time_runs_out(self, it: Expected) -> None:
        """The row is moved; its job knows nothing, and the watch has to find it."""
        if it.status == "open" and it.pending and it.timed:
            self.run(self._move_deadline(it))
            self._ran_out(it)

    async def _move_deadline(self, it: Expected) -> None:
        await self.database.pool.execute(
            """update close_requests set auto_close_at =
                   date_trunc('milliseconds', now() - interval '2 seconds')
               where ticket_id = $1 and status = 'pending' and auto_close_at is not null""",
            it.ticket.id,
        )

    @rule(it=tickets)
    def ask_for_a_moment(self, it: Expected) -> None:
        """The alarm clock itself."""
        if it.status == "open":
            self.run(self._soon(it))
            self._asked(it, timed=True)
            self._ran_out(it)

    async def _soon(self, it: Expected) -> None:
        await self._asking(it, SOON_HOURS)

    def _ran_out(self, it: Expected) -> None:
        if it.excluded:
            return
        if it.unseen_reply:
            it.resolve("answered")
        else:
            it.resolve("expired")
            it.close()
        self.run(eventually(lambda: self._is_as_expected(it)))

    # --- faults

    @rule()
    def kill(self) -> None:
        self.run(self.scheduler.die())
        self.run(self._build())

    @precondition(lambda self: self.redis_is_up)
    @rule()
    def flush(self) -> None:
        self.run(self._flush())

    async def _flush(self) -> None:
        await self.valkey.call("FLUSHALL")

    @precondition(lambda self: self.redis_is_up)
    @rule()
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

    def _try(self, it: Expected, action: Awaitable[object], allowed: bool) -> None:
        """It works if it is allowed; else it is refused with a sentence, and changes nothing."""

        async def attempt() -> None:
            try:
                await action
            except UserError:
                assert not allowed
            else:
                assert allowed

        self.run(attempt())

    async def _as_it_is(self, it: Expected) -> tuple[str, list[str]]:
        status = await self.database.pool.fetchval(
            "select status from tickets where id = $1", it.ticket.id
        )
        requests = await self.database.pool.fetch(
            "select status from close_requests where ticket_id = $1 order by id", it.ticket.id
        )
        return status, [row["status"] for row in requests]

    async def _is_decided(self, it: Expected) -> bool:
        """Nothing is overdue and nothing half closed."""
        return not await self.database.pool.fetchval(
            """select exists (select from tickets where id = $1 and status = 'closing') or exists (
                   select from close_requests r join tickets t on t.id = r.ticket_id
                   where t.id = $1 and r.status = 'pending' and r.auto_close_at <= now()
                     and t.status = 'open' and not t.exclude_from_autoclose)""",
            it.ticket.id,
        )

    async def _is_as_expected(self, it: Expected) -> bool:
        return await self._as_it_is(it) == (it.status, it.requests)

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
            "select count(*) from ticket_events where late_ms < 0"
        )
        assert early == 0

    async def _agrees(self) -> None:
        """After a reconciliation, Redis knows the deadlines that there are, and no others."""

        async def is_so() -> bool:
            await self.scheduler.reconcile()
            rows = await self.database.pool.fetch(
                """select t.id, r.auto_close_at from tickets t
                   join close_requests r on r.ticket_id = t.id
                   where t.status = 'open' and not t.exclude_from_autoclose
                     and r.status = 'pending' and r.auto_close_at is not null"""
            )
            jobs = await self.valkey.call("ZRANGE", f"{QUEUE}incomplete", 0, -1)
            wanted = {timer_key(row["id"], row["auto_close_at"]) for row in rows}
            return wanted == {job.decode().removeprefix(RECORDS) for job in jobs}

        await eventually(is_so, 15)


def tell_stories(
    database_url: str, valkey: OwnValkey, folder: Path, *, examples: int, steps: int
) -> None:
    class Here(Stories):
        pass

    Here.database_url, Here.valkey, Here.folder = database_url, valkey, folder
    limits = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    seed(SEED)(Here)
    note = f"FAULT_SEED={SEED} has the same stories told again"
    try:
        run_state_machine_as_test(Here, settings=limits)
    except Exception as error:
        error.add_note(note)
        raise


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch looks more often, so that more stories are told in the time there is."""
    watch = "domains.scheduled_task.scheduled_task.WATCH_DEADLINES"
    monkeypatch.setattr(f"{watch}_EVERY_S", 0.05)
    monkeypatch.setattr(f"{watch}_WITHOUT_REDIS_EVERY_S", 0.05)
    monkeypatch.setattr("domains.scheduled_task.workers.worker.DEQUEUE_TIMEOUT_S", 0.1)


def test_every_story_ends_as_the_model_says(
    impatient: None, database_url: str, valkey: OwnValkey, tmp_path: Path
) -> None:
    tell_stories(database_url, valkey, tmp_path, examples=8, steps=25)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_every_one_of_very_many_stories_ends_as_the_model_says(
    impatient: None, database_url: str, valkey: OwnValkey, tmp_path: Path
) -> None:
    tell_stories(database_url, valkey, tmp_path, examples=200, steps=50)
