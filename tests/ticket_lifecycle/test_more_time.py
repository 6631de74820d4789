"""More time: the opener moves the deadline a few times, staff as often as they like."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domains.ticket_lifecycle import LifecyclePolicy
from domains.ticket_lifecycle.channels import DiscordFailedError
from domains.ticket_lifecycle.errors import (
    ExtendedAlreadyError,
    NoMoreTimeError,
    NothingPendingError,
    NoTimerError,
    NotTheOpenerError,
    RequestResolvedError,
    TicketNotFoundError,
)
from domains.ticket_lifecycle.models import AutoCloseOutcome
from tests.ticket_lifecycle.helpdesk import OPENER_ID, STAFF_ID, STRANGER_ID, HelpDesk

ONE_DAY = timedelta(days=1)


async def test_the_opener_gets_another_day_and_the_timer_moves(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket, hours=1)
    extended = await desk.lifecycle.ask_for_more_time(ticket.id, OPENER_ID, request.id)
    assert request.auto_close_at is not None
    assert extended.auto_close_at == request.auto_close_at + ONE_DAY
    assert (await desk.request(request.id)).auto_close_at == extended.auto_close_at
    assert await desk.deadlines() == [extended.auto_close_at]
    assert desk.channels.shown_deadlines[request.id] == extended.auto_close_at
    assert desk.channels.announcements == [(ticket.id, "extended")]
    assert (await desk.events(ticket))[-1] == "extended"


async def test_the_old_job_of_an_extended_request_does_nothing(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.run_out(await desk.ask(ticket))
    await desk.lifecycle.ask_for_more_time(ticket.id, OPENER_ID)
    assert await desk.fire(request) is AutoCloseOutcome.NOT_DUE
    left = await desk.time_left(request)
    assert timedelta(hours=23) < left <= ONE_DAY, "counted from now, not from what has passed"


async def test_asking_twice_at_once_moves_the_deadline_once(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket, hours=1)
    ask = desk.lifecycle.ask_for_more_time
    results = await asyncio.gather(
        *(ask(ticket.id, OPENER_ID, request.id, request.extensions) for _ in range(2)),
        return_exceptions=True,
    )
    assert [type(r) for r in results if isinstance(r, Exception)] == [ExtendedAlreadyError]
    extended = await desk.request(request.id)
    assert request.auto_close_at is not None
    assert extended.auto_close_at == request.auto_close_at + ONE_DAY
    assert extended.extensions == 1
    await ask(ticket.id, OPENER_ID, request.id, extended.extensions)


@pytest.mark.parametrize(("most", "times"), [(1, "1 time"), (3, "3 times")])
async def test_the_opener_gets_it_a_few_times_only(desk: HelpDesk, most: int, times: str) -> None:
    desk = desk.restarted(LifecyclePolicy(max_extensions=most))
    ticket = await desk.open()
    request = await desk.ask(ticket)
    for _ in range(most):
        await desk.lifecycle.ask_for_more_time(ticket.id, OPENER_ID)
    before = await desk.request(request.id)
    with pytest.raises(NoMoreTimeError) as error:
        await desk.lifecycle.ask_for_more_time(ticket.id, OPENER_ID)
    assert str(error.value) == f"The deadline of a close request can be moved only {times}."
    assert await desk.request(request.id) == before
    assert await desk.has_timer(before)


async def test_a_new_request_can_be_extended_anew(desk: HelpDesk) -> None:
    desk = desk.restarted(LifecyclePolicy(max_extensions=1))
    ticket = await desk.open()
    for _ in range(2):
        await desk.ask(ticket)
        await desk.lifecycle.ask_for_more_time(ticket.id, OPENER_ID)


async def test_staff_may_always_and_uses_up_nothing(desk: HelpDesk) -> None:
    desk = desk.restarted(LifecyclePolicy(max_extensions=1))
    ticket = await desk.open()
    await desk.ask(ticket)
    for _ in range(3):
        await desk.lifecycle.extend_close_request(ticket.id, STAFF_ID)
    await desk.lifecycle.ask_for_more_time(ticket.id, OPENER_ID)
    await desk.lifecycle.extend_close_request(ticket.id, STAFF_ID)
    assert len(await desk.deadlines()) == 1


async def test_nobody_but_the_opener_may_ask_for_more_time(desk: HelpDesk) -> None:
    ticket = await desk.open()
    request = await desk.ask(ticket)
    with pytest.raises(NotTheOpenerError) as error:
        await desk.lifecycle.ask_for_more_time(ticket.id, STRANGER_ID)
    assert str(error.value) == "Only the member who opened this ticket can ask for more time."
    assert await desk.request(request.id) == request


async def test_what_has_no_timer_cannot_be_moved(desk: HelpDesk) -> None:
    ticket = await desk.open()
    with pytest.raises(NothingPendingError):
        await desk.lifecycle.ask_for_more_time(ticket.id, OPENER_ID)
    old = await desk.ask(ticket)
    await desk.ask(ticket, hours=None)
    with pytest.raises(NoTimerError, match="This close request has no timer"):
        await desk.lifecycle.ask_for_more_time(ticket.id, OPENER_ID)
    with pytest.raises(RequestResolvedError, match="There's a newer close request"):
        await desk.lifecycle.ask_for_more_time(ticket.id, OPENER_ID, old.id)
    with pytest.raises(TicketNotFoundError):
        await desk.lifecycle.ask_for_more_time(999_999_999, OPENER_ID)


async def test_an_excluded_ticket_gets_no_timer_by_it(desk: HelpDesk) -> None:
    ticket = await desk.open()
    await desk.ask(ticket)
    await desk.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
    extended = await desk.lifecycle.extend_close_request(ticket.id, STAFF_ID)
    assert await desk.deadlines() == []
    await desk.lifecycle.include_in_autoclose(ticket.id, STAFF_ID)
    assert await desk.has_timer(extended)


async def test_a_message_that_cannot_be_edited_undoes_nothing(desk: HelpDesk) -> None:
    ticket = await desk.open()
    await desk.ask(ticket)
    desk.channels.failures["show_deadline"] = [DiscordFailedError("500")]
    extended = await desk.lifecycle.ask_for_more_time(ticket.id, OPENER_ID)
    assert await desk.has_timer(extended)
