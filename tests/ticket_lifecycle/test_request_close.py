"""Asking to close: the request, its timer, its message; and all or nothing of them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

import asyncpg
import pytest

from domains.database import Database
from domains.ticket_lifecycle import LifecyclePolicy
from domains.ticket_lifecycle.channels import (
    ChannelError,
    ChannelGoneError,
    DiscordAwayError,
    DiscordFailedError,
    PermissionMissingError,
)
from domains.ticket_lifecycle.errors import (
    CannotAskError,
    InvalidDelayError,
    TicketNotFoundError,
    TicketNotOpenError,
)
from domains.ticket_lifecycle.models import CloseCause, CloseRequest, RequestStatus, TicketStatus
from tests.ticket_lifecycle.databases import execute
from tests.ticket_lifecycle.helpdesk import OPENER_ID, STAFF_ID, HelpDesk
from tests.ticket_lifecycle.interruptions import Killed, Moment


class Redis:
    """Where there is Redis, each timer has its job."""

    def __init__(self, desk: HelpDesk) -> None:
        self._desk = desk

    async def auto_close_job(self, ticket_id: int) -> str | None:
        timers = await self._desk.timers_of_kind()
        return next((timer.key for timer in timers if timer.owner_id == ticket_id), None)

    async def delete_finished_jobs(self, ticket_ids: Sequence[int]) -> None:
        """None is kept."""


def with_redis(desk: HelpDesk) -> HelpDesk:
    desk.lifecycle.set_scheduler(Redis(desk))
    return desk


async def test_the_request_is_written_timed_and_shown(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request_id, job_id = await with_redis(desk).lifecycle.request_close(
        ticket.id, STAFF_ID, "Solved?", 24
    )
    request = await desk.request(request_id)
    assert request.ticket_id == ticket.id
    assert request.requested_by_id == STAFF_ID
    assert request.reason == "Solved?"
    assert request.status is RequestStatus.PENDING
    assert request.is_asked
    (timer,) = await desk.timers_of_kind()
    assert timer.due == request.auto_close_at
    assert job_id == timer.key == f"auto-close-{ticket.id}-{timer.due_ms}"
    assert desk.channels.asked == [request_id]
    assert request.message_id == desk.channels.channels[ticket.channel_id or 0].messages[-1].id
    assert desk.channels.shown_deadlines[request_id] == request.auto_close_at
    assert await desk.events(ticket) == ["opened", "close_requested"]


async def test_the_deadline_is_computed_by_postgresqls_clock(
    desk: HelpDesk, database_url: str
) -> None:
    """Here that clock is a day ahead of the bot's own."""
    await execute(
        database_url,
        "create schema ahead",
        "create function ahead.now() returns timestamptz language sql stable"
        " as $$ select pg_catalog.now() + interval '1 day' $$",
        "alter database ticket_lifecycle set search_path = ahead, pg_catalog, public",
    )
    database = Database(lambda: database_url)
    try:
        await database.connect()
        process = desk.elsewhere(database)
        request = await process.ask(await process.open(), hours=1)
        ahead = await database.pool.fetchval("select $1 - pg_catalog.now()", request.auto_close_at)
    finally:
        await database.close()
        await execute(
            database_url,
            "alter database ticket_lifecycle reset search_path",
            "drop schema ahead cascade",
        )
    assert 24 < ahead.total_seconds() / 3600 < 25.001


async def test_the_deadline_is_whole_milliseconds_and_never_later_than_asked_for(
    desk: HelpDesk,
) -> None:
    request = await desk.ask(await desk.open(), hours=0.5)
    assert request.auto_close_at is not None
    assert request.auto_close_at.microsecond % 1_000 == 0
    delay = (request.auto_close_at - request.requested_at).total_seconds()
    assert 1799.999 <= delay <= 1800


@pytest.mark.parametrize("hours", [None, 0, 0.0])
async def test_without_a_delay_there_is_no_timer(desk: HelpDesk, hours: float | None) -> None:
    ticket = await desk.open()
    request_id, job_id = await with_redis(desk).lifecycle.request_close(
        ticket.id, STAFF_ID, None, hours
    )
    assert job_id is None
    assert (await desk.request(request_id)).auto_close_at is None
    assert await desk.deadlines() == []
    assert desk.channels.asked == [request_id]


@pytest.mark.parametrize("hours", [math.nan, math.inf, -math.inf, -1, -1e-9, 720.001, 1e300])
async def test_an_impossible_delay_changes_nothing(desk: HelpDesk, hours: float) -> None:
    ticket = await desk.open()
    before = await desk.ask(ticket)
    with pytest.raises(InvalidDelayError, match="at most 30 days"):
        await desk.lifecycle.request_close(ticket.id, STAFF_ID, None, hours)
    assert await desk.requests(ticket) == [before]
    assert await desk.has_timer(before)
    assert desk.channels.asked == [before.id]


async def test_thirty_days_is_allowed(desk: HelpDesk) -> None:
    request = await desk.ask(await desk.open(), hours=720)
    assert await desk.has_timer(request)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("  Solved?  ", "Solved?"), ("", None), ("   ", None), ("x" * 300, "x" * 255)],
)
async def test_the_reason_is_trimmed(desk: HelpDesk, given: str, kept: str | None) -> None:
    ticket = await desk.open()
    request_id, _ = await desk.lifecycle.request_close(ticket.id, STAFF_ID, given)
    assert (await desk.request(request_id)).reason == kept


async def test_a_second_request_replaces_the_first_and_exactly_its_timer(desk: HelpDesk) -> None:
    ticket, other_ticket = await desk.open(), await desk.open()
    first, other = await desk.ask(ticket, hours=1), await desk.ask(other_ticket, hours=1)
    second = await desk.ask(ticket, hours=2)
    first = await desk.request(first.id)
    assert first.status is RequestStatus.SUPERSEDED
    assert first.resolved_by_id == STAFF_ID
    assert first.resolved_at is not None
    assert second.status is RequestStatus.PENDING
    assert not await desk.has_timer(first)
    assert await desk.has_timer(second)
    assert await desk.has_timer(other)
    assert desk.shown_outcomes(first) == {"superseded"}
    assert desk.shown_outcomes(second) == set()


async def test_an_untimed_request_replaces_a_timed_one(desk: HelpDesk) -> None:
    ticket = await desk.open()
    await desk.ask(ticket, hours=1)
    await desk.ask(ticket, hours=None)
    assert await desk.deadlines() == []


async def test_requests_at_once_leave_one_pending_with_its_timer(
    desk: HelpDesk, second_database: Database
) -> None:
    ticket = await desk.open()
    other = desk.elsewhere(second_database)
    await asyncio.gather(*((desk, other)[n % 2].ask(ticket, hours=n + 1) for n in range(8)))
    requests = await desk.requests(ticket)
    assert len(requests) == 8
    pending = [request for request in requests if request.status is RequestStatus.PENDING]
    assert len(pending) == 1
    assert await desk.has_timer(pending[0])
    assert sorted(desk.channels.asked) == [request.id for request in requests if request.is_asked]
    for request in requests:
        told = request.is_asked and request != pending[0]
        assert desk.shown_outcomes(request) == ({"superseded"} if told else set())


async def test_an_excluded_ticket_is_asked_but_not_timed(desk: HelpDesk) -> None:
    ticket = await desk.open()
    await desk.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
    request_id, job_id = await with_redis(desk).lifecycle.request_close(
        ticket.id, STAFF_ID, None, 1
    )
    assert job_id is None
    assert await desk.deadlines() == []
    assert desk.channels.asked == [request_id]
    assert (await desk.request(request_id)).auto_close_at is not None, "for /autoclose include"


async def test_a_ticket_that_is_not_there_or_not_open_cannot_be_asked_about(
    desk: HelpDesk,
) -> None:
    with pytest.raises(TicketNotFoundError, match="This isn't a ticket channel"):
        await desk.lifecycle.request_close(999_999_999, STAFF_ID)
    ticket = await desk.open()
    await desk.lifecycle.close_ticket(ticket.id, OPENER_ID)
    with pytest.raises(TicketNotOpenError) as error:
        await desk.lifecycle.request_close(ticket.id, STAFF_ID)
    assert str(error.value) == f"<@{OPENER_ID}> has already closed this ticket."


# --- an opener who cannot be asked


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (
            PermissionMissingError(("Send Messages",), "#ticket-0001"),
            "I couldn't ask the member: the bot lacks the permission Send Messages in "
            "#ticket-0001. Nothing was changed.",
        ),
        (
            ChannelGoneError("Unknown Channel"),
            "I couldn't ask the member: the channel is gone. Nothing was changed.",
        ),
        (
            DiscordFailedError("500 Internal Server Error"),
            "I couldn't ask the member: 500 Internal Server Error. Nothing was changed.",
        ),
    ],
)
async def test_if_the_opener_cannot_be_asked_everything_is_taken_back(
    desk: HelpDesk, failure: ChannelError, sentence: str
) -> None:
    ticket = await desk.open()
    desk.channels.failures["ask"] = [failure]
    with pytest.raises(CannotAskError) as error:
        await desk.lifecycle.request_close(ticket.id, STAFF_ID, None, 1)
    assert str(error.value) == sentence
    assert await desk.deadlines() == []
    assert [request.status for request in await desk.requests(ticket)] == [RequestStatus.WITHDRAWN]
    assert await desk.events(ticket) == ["opened", "close_requested", "could_not_ask"]
    assert await desk.pending_effects(ticket) == ["sync-card"]


async def test_if_the_opener_cannot_be_asked_again_the_older_request_stands(
    desk: HelpDesk,
) -> None:
    """`Nothing was changed`, the sentence says."""
    ticket = await desk.open()
    first = await desk.ask(ticket, hours=1)
    desk.channels.failures["ask"] = [DiscordFailedError("500 Internal Server Error")]
    with pytest.raises(CannotAskError, match="Nothing was changed"):
        await desk.ask(ticket, hours=2)
    assert await desk.request(first.id) == first
    assert await desk.has_timer(first)
    assert desk.shown_outcomes(first) == set()
    ticket = await desk.lifecycle.accept_close_request(ticket.id, OPENER_ID, first.id)


async def test_a_question_that_comes_late_and_cannot_be_asked_leaves_the_older_one_standing(
    desk: HelpDesk,
) -> None:
    ticket = await desk.open()
    first = await desk.ask(ticket, hours=1)
    desk.interruptions.kill("ask", Moment.BEFORE)
    with pytest.raises(Killed):
        await desk.ask(ticket, hours=2)
    await desk.grow_old()
    desk.channels.failures["ask"] = [PermissionMissingError(("Send Messages",), "#ticket-0001")]
    await desk.restarted().deliver()
    assert (await desk.request(first.id)).status is RequestStatus.PENDING
    assert await desk.has_timer(first)


@pytest.mark.parametrize("before", ["denied", "withdrawn before it was asked"])
async def test_only_what_was_replaced_stands_again(desk: HelpDesk, before: str) -> None:
    ticket = await desk.open()
    await desk.ask(ticket)
    second = await desk.ask(ticket)
    if before == "denied":
        await desk.lifecycle.cancel_close_request(ticket.id, OPENER_ID, second.id)
    else:
        await desk.database.pool.execute(
            "update punctual.close_requests set status = 'withdrawn', message_id = null,"
            " resolved_by_id = $2 where id = $1",
            second.id,
            STAFF_ID,
        )
    desk.channels.failures["ask"] = [DiscordFailedError("500 Internal Server Error")]
    with pytest.raises(CannotAskError):
        await desk.ask(ticket)
    assert RequestStatus.PENDING not in [each.status for each in await desk.requests(ticket)]


async def test_a_question_behind_one_that_fails_is_asked_all_the_same(desk: HelpDesk) -> None:
    ticket = await desk.open()
    go_on = desk.interruptions.hold("ask")
    desk.channels.failures["ask"] = [DiscordFailedError("no answer within 10 s")]
    first = await desk.meanwhile(ticket, desk.ask(ticket))
    second = await desk.meanwhile(ticket, desk.ask(ticket, hours=2))
    go_on.set()
    with pytest.raises(CannotAskError):
        await first
    request = await second
    assert isinstance(request, CloseRequest)
    assert (request.status, request.is_asked) == (RequestStatus.PENDING, True)
    assert await desk.deadlines() == [request.auto_close_at]


# --- without Redis


async def test_without_redis_the_deadline_is_kept(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request_id, job_id = await desk.lifecycle.request_close(ticket.id, STAFF_ID, None, 1)
    assert job_id is None
    assert (await desk.request(request_id)).status is RequestStatus.PENDING
    assert (await desk.ticket(ticket.id)).status is TicketStatus.OPEN
    assert len(await desk.deadlines()) == 1


@pytest.fixture
def at_once(desk: HelpDesk) -> HelpDesk:
    """AUTO_CLOSE_WITHOUT_REDIS=immediate, and no Redis."""
    return desk.restarted(LifecyclePolicy(close_at_once_without_timer=True))


async def test_without_redis_the_immediate_policy_closes_at_once(at_once: HelpDesk) -> None:
    ticket = await at_once.open()
    request_id, job_id = await at_once.lifecycle.request_close(ticket.id, STAFF_ID, "Solved?", 1)
    assert job_id is None
    assert (await at_once.request(request_id)).status is RequestStatus.CLOSED
    closed = await at_once.ticket(ticket.id)
    assert closed.status is TicketStatus.CLOSED
    assert closed.close_cause is CloseCause.WITHOUT_REDIS
    assert closed.closed_by_id == STAFF_ID
    assert closed.close_reason == "Solved?"
    assert at_once.channels.removed == [ticket.id]
    assert at_once.transcripts_of(ticket) == [str(ticket.id)]


async def test_the_immediate_policy_closes_no_ticket_whose_member_was_not_asked(
    at_once: HelpDesk,
) -> None:
    at_once.channels.failures["welcome"] = [DiscordAwayError("the server is away")]
    ticket = await at_once.open()
    request = await with_redis(at_once).ask(ticket, hours=24)
    assert (request.status, request.is_asked) == (RequestStatus.PENDING, False)
    assert (await at_once.ticket(ticket.id)).status is TicketStatus.OPEN


async def test_the_immediate_policy_waits_where_there_is_redis(at_once: HelpDesk) -> None:
    request = await with_redis(at_once).ask(await at_once.open(), hours=1)
    assert request.status is RequestStatus.PENDING


async def test_the_immediate_policy_leaves_untimed_requests_alone(at_once: HelpDesk) -> None:
    request = await at_once.ask(await at_once.open(), hours=None)
    assert request.status is RequestStatus.PENDING


async def test_the_immediate_policy_leaves_excluded_tickets_alone(at_once: HelpDesk) -> None:
    ticket = await at_once.open()
    await at_once.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
    assert (await at_once.ask(ticket, hours=1)).status is RequestStatus.PENDING
    assert (await at_once.ticket(ticket.id)).status is TicketStatus.OPEN


async def test_a_request_denied_as_it_was_posted_is_not_closed_at_once(at_once: HelpDesk) -> None:
    ticket = await at_once.open()
    denying: list[asyncio.Task[object]] = []

    async def deny() -> None:
        act = at_once.lifecycle.cancel_close_request(ticket.id, OPENER_ID)
        denying.append(await at_once.meanwhile(ticket, act))

    at_once.interruptions.once("ask", Moment.AFTER, deny)
    request = await at_once.ask(ticket, hours=1)
    await asyncio.gather(*denying)
    assert request.status is RequestStatus.DENIED
    assert (await at_once.ticket(ticket.id)).status is TicketStatus.OPEN


# --- the commit


REFUSE = "raise exception 'this commit is refused'"
HANG_UP = "perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(10)"


@pytest.mark.parametrize(
    ("at_commit", "error"),
    [
        (REFUSE, asyncpg.RaiseError),
        (HANG_UP, asyncpg.ConnectionDoesNotExistError),
    ],
)
async def test_nobody_is_told_and_no_timer_changes_if_the_commit_fails(
    desk: HelpDesk, database_url: str, at_commit: str, error: type[Exception]
) -> None:
    ticket = await desk.open()
    first = await desk.ask(ticket, hours=1)
    calls = list(desk.interruptions.calls)
    effects = await desk.pending_effects(ticket)
    await execute(
        database_url,
        "create function at_commit() returns trigger language plpgsql"
        f" as $$ begin {at_commit}; return null; end $$",
        "create constraint trigger at_commit after insert on punctual.close_requests"
        " deferrable initially deferred for each row execute function at_commit()",
    )
    try:
        with pytest.raises(error):
            await desk.ask(ticket, hours=2)
    finally:
        await execute(database_url, "drop function at_commit cascade")
    assert desk.interruptions.calls == calls
    assert await desk.pending_effects(ticket) == effects == []
    assert await desk.requests(ticket) == [first]
    assert await desk.has_timer(first)
    assert await desk.events(ticket) == ["opened", "close_requested"]


async def test_the_opener_is_asked_after_the_commit(
    desk: HelpDesk, second_database: Database
) -> None:
    """Somebody else can see the request already; its timer does not run yet."""
    seen: list[str] = []

    async def look() -> None:
        seen.append(
            await second_database.pool.fetchval("select status from punctual.close_requests")
        )
        assert await desk.deadlines() == []

    desk.interruptions.once("ask", Moment.BEFORE, look)
    request = await desk.ask(await desk.open())
    assert seen == ["pending"]
    assert await desk.deadlines() == [request.auto_close_at]
