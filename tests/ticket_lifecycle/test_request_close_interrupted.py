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

STEPS = tuple(Moment)
"""Of posting the question."""


async def killed_while_asking(
    desk: HelpDesk, moment: Moment = Moment.BEFORE, hours: float | None = 1
) -> tuple[Ticket, CloseRequest]:
    """A request that was committed, and then the process died."""
    ticket = await desk.open()
    desk.interruptions.kill("ask", moment)
    with pytest.raises(Killed):
        await desk.ask(ticket, hours)
    assert desk.interruptions.all_happened
    (request,) = await desk.requests(ticket)
    assert request.status is RequestStatus.PENDING
    assert not request.is_asked
    return ticket, request


@pytest.mark.parametrize("moment", STEPS)
async def test_the_opener_is_asked_once_with_the_full_delay_anew(
    desk: HelpDesk, moment: Moment
) -> None:
    ticket, request = await killed_while_asking(desk, moment)
    await desk.grow_old()
    assert await desk.time_left(request) < timedelta(minutes=51)
    await desk.restarted().deliver()
    resumed = await desk.request(request.id)
    assert resumed.is_asked
    assert resumed.message_id is not None
    assert desk.channels.asked == [request.id]
    assert timedelta(minutes=58) < await desk.time_left(resumed) <= timedelta(hours=1)
    assert desk.channels.shown_deadlines[request.id] == resumed.auto_close_at
    assert await desk.deadlines() == [resumed.auto_close_at]
    assert len(await desk.requests(ticket)) == 1


@pytest.mark.parametrize("moment", STEPS)
async def test_a_request_that_was_never_announced_never_expires(
    desk: HelpDesk, moment: Moment
) -> None:
    ticket, request = await killed_while_asking(desk, moment)
    await desk.run_out(request)
    outcome = await desk.restarted().lifecycle.auto_close(ticket.id, request.id)
    assert outcome is AutoCloseOutcome.NOT_ASKED
    assert await desk.deadlines() == []
    assert (await desk.request(request.id)).status is RequestStatus.PENDING


async def test_a_young_request_is_left_to_whoever_is_asking(desk: HelpDesk) -> None:
    _, request = await killed_while_asking(desk)
    await desk.restarted().deliver()
    assert desk.channels.asked == []
    assert await desk.request(request.id) == request


async def test_an_untimed_request_is_asked_at_last_too(desk: HelpDesk) -> None:
    _, request = await killed_while_asking(desk, hours=None)
    await desk.grow_old()
    await desk.restarted().deliver()
    assert desk.channels.asked == [request.id]
    assert request.auto_close_at is None
    assert await desk.deadlines() == []


async def test_an_excluded_ticket_is_asked_at_last_without_a_timer(desk: HelpDesk) -> None:
    ticket, request = await killed_while_asking(desk)
    await desk.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
    await desk.grow_old()
    await desk.restarted().deliver()
    assert desk.channels.asked == [request.id]
    assert await desk.deadlines() == []


async def test_a_request_that_cannot_be_asked_at_last_is_taken_back(desk: HelpDesk) -> None:
    _, request = await killed_while_asking(desk)
    await desk.grow_old()
    desk.channels.failures["ask"] = [ChannelGoneError("Unknown Channel")]
    await desk.restarted().deliver()
    assert (await desk.request(request.id)).status is RequestStatus.WITHDRAWN
    assert await desk.deadlines() == []


async def test_a_request_that_discord_did_not_take_at_last_is_asked_later(desk: HelpDesk) -> None:
    _, request = await killed_while_asking(desk)
    await desk.grow_old()
    desk.channels.failures["ask"] = [DiscordFailedError("503")]
    await desk.restarted().deliver()
    assert (await desk.request(request.id)).status is RequestStatus.PENDING
    await desk.grow_old()
    await desk.restarted().deliver()
    assert desk.channels.asked == [request.id]
    assert len(await desk.deadlines()) == 1


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("call", ["ask", "show_outcome"])
async def test_a_replacement_that_died_leaves_one_request_with_one_timer(
    desk: HelpDesk, call: str, moment: Moment
) -> None:
    ticket = await desk.open()
    first = await desk.ask(ticket, hours=2)
    desk.interruptions.kill(call, moment)
    with pytest.raises(Killed):
        await desk.ask(ticket, hours=1)
    await desk.grow_old()
    await desk.restarted().deliver()
    first, second = await desk.requests(ticket)
    assert first.status is RequestStatus.SUPERSEDED
    assert second.status is RequestStatus.PENDING
    assert desk.channels.asked == [first.id, second.id]
    assert await desk.has_timer(second)
    assert await desk.deadlines() == [second.auto_close_at]
    assert desk.shown_outcomes(first) == {"superseded"}


async def test_processes_that_resume_at_once_ask_once(
    desk: HelpDesk, second_database: Database
) -> None:
    _, request = await killed_while_asking(desk)
    await desk.grow_old()
    other = desk.elsewhere(second_database)
    await asyncio.gather(*(process.deliver() for process in (desk, other) * 3))
    assert desk.channels.asked == [request.id]
    resumed = await desk.request(request.id)
    assert await desk.deadlines() == [resumed.auto_close_at]


async def test_a_question_still_on_its_way_is_not_asked_a_second_time(
    desk: HelpDesk, second_database: Database
) -> None:
    """Discord may let the bot wait for a minute; the bot must not think that it died."""
    ticket = await desk.open()
    go_on = desk.interruptions.hold("ask")
    asking = asyncio.create_task(desk.ask(ticket, hours=1))
    await eventually(lambda: desk.interruptions.waiting == 1)
    desk.interruptions.pass_on()
    await desk.elsewhere(second_database).deliver()
    go_on.set()
    request = await asking
    assert desk.channels.asked == [request.id]
    assert await desk.has_timer(request)
    assert len(await desk.deadlines()) == 1


async def test_one_question_that_cannot_be_resumed_does_not_keep_others_waiting(
    desk: HelpDesk,
) -> None:
    await killed_while_asking(desk)
    _, second = await killed_while_asking(desk)
    await desk.grow_old()
    desk.channels.failures["ask"] = [RuntimeError("a bug")]  # in the first one's
    await desk.restarted().deliver()
    assert desk.channels.asked == [second.id]


# --- answered while Discord was still posting it


async def test_a_request_answered_as_it_was_posted_shows_its_outcome(desk: HelpDesk) -> None:
    """Only after the message's id is known can it be edited."""
    ticket = await desk.open()
    denying: list[asyncio.Task[object]] = []

    async def deny() -> None:
        act = desk.lifecycle.cancel_close_request(ticket.id, OPENER_ID)
        denying.append(await desk.meanwhile(ticket, act))

    desk.interruptions.once("ask", Moment.AFTER, deny)
    request = await desk.ask(ticket)
    await asyncio.gather(*denying)
    assert request.status is RequestStatus.DENIED
    assert request.message_id is not None
    assert desk.channels.outcomes == [(request.id, "denied")]
    assert await desk.deadlines() == []
