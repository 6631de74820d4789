"""A process that dies while it asks: the opener is asked later, once, and given the full delay."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domains.database import Database
from domains.ticket_lifecycle.channels import ChannelGoneError, DiscordFailedError
from domains.ticket_lifecycle.models import AutoCloseOutcome, CloseRequest, RequestStatus, Ticket
from tests.ticket_lifecycle.helpdesk import OPENER_ID, STAFF_ID, HelpDesk
from tests.ticket_lifecycle.interruptions import Killed, Moment
from tests.waiting import eventually

DEATHS = (Killed, asyncio.CancelledError)
BEFORE_THE_MESSAGE = [
    ("schedule", Moment.BEFORE),
    ("schedule", Moment.AFTER),
    ("ask", Moment.BEFORE),
]
STEPS = [*BEFORE_THE_MESSAGE, ("ask", Moment.AFTER)]


async def killed_while_asking(
    desk: HelpDesk, call: str, moment: Moment, death: type[BaseException] = Killed
) -> tuple[Ticket, CloseRequest]:
    """An hour's request that was committed, and then the process died."""
    ticket = await desk.open()
    desk.interruptions.kill(call, moment, death)
    with pytest.raises(death):
        await desk.ask(ticket, hours=1)
    assert desk.interruptions.all_happened
    (request,) = await desk.requests(ticket)
    assert request.status is RequestStatus.PENDING
    assert not request.announced
    return ticket, request


async def seconds_left(desk: HelpDesk, request: CloseRequest) -> float:
    left: timedelta = await desk.database.pool.fetchval(
        "select auto_close_at - now() from punctual.close_requests where id = $1", request.id
    )
    return left.total_seconds()


@pytest.mark.parametrize("death", DEATHS)
@pytest.mark.parametrize(("call", "moment"), STEPS)
async def test_the_opener_is_asked_once_with_the_full_delay_anew(
    desk: HelpDesk, call: str, moment: Moment, death: type[BaseException]
) -> None:
    ticket, request = await killed_while_asking(desk, call, moment, death)
    await desk.grow_old()
    assert await seconds_left(desk, request) < 3_001
    restarted = desk.restarted()
    await restarted.lifecycle.resume_unfinished()
    await restarted.lifecycle.resume_unfinished()
    resumed = await desk.request(request.id)
    assert resumed.announced
    assert resumed.message_id is not None
    assert desk.channels.asked == [request.id]
    assert 3_500 < await seconds_left(desk, resumed) <= 3_600
    assert [timer.auto_close_at for timer in desk.timers.scheduled.values()] == [
        resumed.auto_close_at
    ]
    assert len(await desk.requests(ticket)) == 1


@pytest.mark.parametrize(("call", "moment"), STEPS)
async def test_after_a_resumption_the_message_tells_the_deadline_that_holds(
    desk: HelpDesk, call: str, moment: Moment
) -> None:
    _, request = await killed_while_asking(desk, call, moment)
    await desk.grow_old()
    await desk.restarted().lifecycle.resume_unfinished()
    resumed = await desk.request(request.id)
    assert desk.channels.shown_deadlines[request.id] == resumed.auto_close_at


@pytest.mark.parametrize(("call", "moment"), STEPS)
async def test_a_request_that_was_never_announced_never_expires(
    desk: HelpDesk, call: str, moment: Moment
) -> None:
    ticket, request = await killed_while_asking(desk, call, moment)
    await desk.run_out(request)
    outcome = await desk.restarted().lifecycle.auto_close(ticket.id, request.id)
    assert outcome is AutoCloseOutcome.NOT_ASKED
    assert await desk.restarted().lifecycle.overdue_timers(timedelta(), 10) == []
    assert (await desk.request(request.id)).status is RequestStatus.PENDING


async def test_a_young_request_is_left_to_whoever_is_asking(desk: HelpDesk) -> None:
    _, request = await killed_while_asking(desk, "ask", Moment.BEFORE)
    await desk.restarted().lifecycle.resume_unfinished()
    assert desk.channels.asked == []
    assert await desk.request(request.id) == request


async def test_an_untimed_request_is_asked_at_last_too(desk: HelpDesk) -> None:
    ticket = await desk.open()
    desk.interruptions.kill("ask", Moment.BEFORE)
    with pytest.raises(Killed):
        await desk.ask(ticket, hours=None)
    await desk.grow_old()
    await desk.restarted().lifecycle.resume_unfinished()
    (request,) = await desk.requests(ticket)
    assert desk.channels.asked == [request.id]
    assert request.auto_close_at is None
    assert desk.timers.scheduled == {}


async def test_an_excluded_ticket_is_asked_at_last_without_a_timer(desk: HelpDesk) -> None:
    ticket, request = await killed_while_asking(desk, "ask", Moment.BEFORE)
    await desk.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
    await desk.grow_old()
    await desk.restarted().lifecycle.resume_unfinished()
    assert desk.channels.asked == [request.id]
    assert desk.timers.scheduled == {}


async def test_a_request_that_cannot_be_asked_at_last_is_taken_back(desk: HelpDesk) -> None:
    _, request = await killed_while_asking(desk, "ask", Moment.BEFORE)
    await desk.grow_old()
    desk.channels.failures["ask"] = [ChannelGoneError("Unknown Channel")]
    await desk.restarted().lifecycle.resume_unfinished()
    assert (await desk.request(request.id)).status is RequestStatus.WITHDRAWN
    assert desk.timers.scheduled == {}


async def test_a_request_that_discord_did_not_take_at_last_is_asked_later(desk: HelpDesk) -> None:
    _, request = await killed_while_asking(desk, "ask", Moment.BEFORE)
    await desk.grow_old()
    desk.channels.failures["ask"] = [DiscordFailedError("503")]
    await desk.restarted().lifecycle.resume_unfinished()
    assert (await desk.request(request.id)).status is RequestStatus.PENDING
    await desk.grow_old()
    await desk.restarted().lifecycle.resume_unfinished()
    assert desk.channels.asked == [request.id]
    assert len(desk.timers.scheduled) == 1


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("call", ["cancel", "schedule", "show_outcome", "ask"])
async def test_a_replacement_that_died_leaves_one_request_with_one_timer(
    desk: HelpDesk, call: str, moment: Moment
) -> None:
    ticket = await desk.open()
    first = await desk.ask(ticket, hours=2)
    desk.interruptions.kill(call, moment)
    with pytest.raises(Killed):
        await desk.ask(ticket, hours=1)
    await desk.grow_old()
    await desk.restarted().lifecycle.resume_unfinished()
    first, second = await desk.requests(ticket)
    assert first.status is RequestStatus.SUPERSEDED
    assert second.status is RequestStatus.PENDING
    assert desk.channels.asked == [first.id, second.id]
    assert desk.has_timer(second)
    wanted = await desk.lifecycle.wanted_timers([ticket.id])
    assert [timer.close_request_id for timer in wanted] == [second.id]


async def test_processes_that_resume_at_once_ask_once(
    desk: HelpDesk, second_database: Database
) -> None:
    _, request = await killed_while_asking(desk, "ask", Moment.BEFORE)
    await desk.grow_old()
    other = desk.elsewhere(second_database)
    await asyncio.gather(*(process.lifecycle.resume_unfinished() for process in (desk, other) * 3))
    assert desk.channels.asked == [request.id]
    resumed = await desk.request(request.id)
    assert [timer.auto_close_at for timer in desk.timers.scheduled.values()] == [
        resumed.auto_close_at
    ]


async def test_a_question_still_on_its_way_is_not_asked_a_second_time(
    desk: HelpDesk, second_database: Database
) -> None:
    """Discord may let the bot wait for a minute; the bot must not think that it died."""
    ticket = await desk.open()
    go_on = desk.interruptions.hold("ask")
    asking = asyncio.create_task(desk.ask(ticket, hours=1))
    await eventually(lambda: desk.interruptions.waiting == 1)
    desk.interruptions.pass_on()
    await desk.grow_old()
    await desk.elsewhere(second_database).lifecycle.resume_unfinished()
    go_on.set()
    request = await asking
    assert desk.channels.asked == [request.id]
    assert desk.has_timer(request)
    assert len(desk.timers.scheduled) == 1


async def test_a_question_that_waited_too_long_for_its_turn_is_asked_once(
    desk: HelpDesk, second_database: Database
) -> None:
    """A busy process asks late, and another one has thought it dead."""
    tickets = [await desk.open(opener_id=100 + n) for n in range(6)]
    go_on = desk.interruptions.hold("ask")
    asking = [asyncio.create_task(desk.ask(ticket, hours=1)) for ticket in tickets]
    await eventually(lambda: desk.interruptions.waiting >= 4)
    await eventually(lambda: _requests_are(desk, 6))
    desk.interruptions.pass_on()
    await desk.grow_old()
    await desk.elsewhere(second_database).lifecycle.resume_unfinished()
    go_on.set()
    requests = await asyncio.gather(*asking)
    assert sorted(desk.channels.asked) == sorted(request.id for request in requests)
    assert all(request.announced for request in requests)


async def _requests_are(desk: HelpDesk, count: int) -> bool:
    return await desk.database.pool.fetchval(
        "select count(*) = $1 from punctual.close_requests", count
    )


async def test_one_question_that_cannot_be_resumed_does_not_keep_others_waiting(
    desk: HelpDesk,
) -> None:
    await killed_while_asking(desk, "ask", Moment.BEFORE)
    _, second = await killed_while_asking(desk, "ask", Moment.BEFORE)
    await desk.grow_old()
    desk.channels.failures["ask"] = [RuntimeError("a bug")]  # in the first one's
    await desk.restarted().lifecycle.resume_unfinished()
    assert desk.channels.asked == [second.id]


# --- answered while Discord was still posting it


async def test_a_request_answered_as_it_was_posted_shows_its_outcome(desk: HelpDesk) -> None:
    """Only after the message's id is known can it be edited."""
    ticket = await desk.open()

    async def deny() -> None:
        await desk.lifecycle.cancel_close_request(ticket.id, OPENER_ID)
        desk.channels.outcomes.clear()

    desk.interruptions.once("ask", Moment.AFTER, deny)
    request = await desk.ask(ticket)
    assert request.status is RequestStatus.DENIED
    assert request.message_id is not None
    assert desk.channels.outcomes == [(request.id, "denied")]
    assert desk.timers.scheduled == {}
