"""`send-reminder`: an opener who has not answered is reminded once, in time, and never after an
answer."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from domains.scheduled_task.job_type import NotDueError
from domains.ticket_lifecycle.channels import DiscordFailedError
from domains.ticket_lifecycle.models import CloseRequest, Ticket
from tests.ticket_lifecycle.helpdesk import GUILD_ID, OPENER_ID, STAFF_ID, HelpDesk

KIND = "send-reminder"


async def due(desk: HelpDesk) -> list[datetime]:
    return [timer.due for timer in await desk.timers_of_kind(KIND)]


async def asked(desk: HelpDesk, hours: float = 2) -> tuple[Ticket, CloseRequest]:
    ticket = await desk.open()
    return ticket, await desk.ask(ticket, hours)


async def pass_time(desk: HelpDesk, span: timedelta) -> None:
    await desk.database.pool.execute(
        """update punctual.close_requests set requested_at = requested_at - $1::interval,
                  auto_close_at = auto_close_at - $1::interval""",
        span,
    )


async def fire_half_way(desk: HelpDesk, request: CloseRequest) -> bool:
    await pass_time(desk, timedelta(hours=1, seconds=1))
    fired = await desk.fire_timer(KIND, request.id)
    await desk.deliver()
    return fired


@pytest.mark.parametrize(
    ("hours", "after"),
    [
        (2, timedelta(hours=1)),
        (48, timedelta(hours=24)),
        (72, timedelta(hours=48)),
        (0.4, timedelta(minutes=12)),
    ],
)
async def test_it_comes_half_way_but_at_most_a_day_before_the_deadline(
    desk: HelpDesk, hours: float, after: timedelta
) -> None:
    _, request = await asked(desk, hours)
    (at,) = await due(desk)
    assert abs(at - request.requested_at - after) <= timedelta(milliseconds=1)
    with pytest.raises(NotDueError):
        await desk.fire_timer(KIND, request.id)


async def test_none_comes_with_less_than_ten_minutes_left(desk: HelpDesk) -> None:
    await asked(desk, hours=1 / 3)
    assert await due(desk) == []
    await asked(desk, hours=2)
    assert len(await due(desk)) == 1
    await pass_time(desk, timedelta(hours=1, minutes=51))
    assert await due(desk) == [], "whoever was away that long comes too late"


async def test_the_opener_is_reminded_in_the_ticket_and_by_dm_and_never_twice(
    desk: HelpDesk,
) -> None:
    ticket, request = await asked(desk)
    assert await fire_half_way(desk, request)
    assert desk.channels.announcements == [(ticket.id, "reminder")]
    assert desk.channels.announced_by_dm == [(ticket.id, "reminder")]
    assert await due(desk) == []
    await desk.lifecycle.ask_for_more_time(ticket.id, OPENER_ID)
    assert await due(desk) == [], "nor after more time"
    assert not await desk.fire_timer(KIND, request.id)
    await desk.deliver()
    assert len(desk.channels.announced_by_dm) == 1
    assert await desk.has_timer(await desk.request(request.id)), "the deadline stands"


async def test_it_moves_with_the_deadline(desk: HelpDesk) -> None:
    ticket, request = await asked(desk)
    await desk.lifecycle.extend_close_request(ticket.id, STAFF_ID)
    (at,) = await due(desk)
    assert abs(at - request.requested_at - timedelta(hours=13)) <= timedelta(milliseconds=1)


@pytest.mark.parametrize("how", ["deny", "write", "accept", "exclude", "replace"])
async def test_none_comes_after_an_answer_or_for_an_excluded_ticket(
    desk: HelpDesk, how: str
) -> None:
    ticket, request = await asked(desk)
    match how:
        case "deny":
            await desk.lifecycle.cancel_close_request(ticket.id, OPENER_ID)
        case "write":
            assert await desk.write_and_note(ticket)
        case "accept":
            await desk.lifecycle.accept_close_request(ticket.id, OPENER_ID)
        case "exclude":
            await desk.lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
        case _:
            await desk.ask(ticket, hours=None)
    assert not await fire_half_way(desk, request)
    assert (ticket.id, "reminder") not in desk.channels.announcements
    assert desk.channels.announced_by_dm == []


@pytest.mark.parametrize("how", ["deny", "write", "exclude", "wait"])
async def test_none_is_said_after_what_happened_since_it_fired(desk: HelpDesk, how: str) -> None:
    """Also an answer that the gateway has not told of; or Discord was away past the deadline."""
    ticket, request = await asked(desk)
    await pass_time(desk, timedelta(hours=1, seconds=1))
    assert await desk.fire_timer(KIND, request.id)
    match how:
        case "deny":
            await desk.database.pool.execute(
                "update punctual.close_requests set status = 'denied', resolved_at = now()"
            )
        case "exclude":
            await desk.database.pool.execute(
                "update punctual.tickets set exclude_from_autoclose = true"
            )
        case "wait":
            await pass_time(desk, timedelta(hours=1))
        case _:
            desk.write(ticket)
    await desk.deliver()
    assert desk.channels.announcements == []
    assert desk.channels.announced_by_dm == []


async def test_where_replies_do_not_count_they_do_not_stop_it(desk: HelpDesk) -> None:
    await desk.lifecycle.change_guild_settings(GUILD_ID, reply_keeps_open=False)
    ticket, request = await asked(desk)
    desk.write(ticket)
    assert await fire_half_way(desk, request)
    assert desk.channels.announcements == [(ticket.id, "reminder")]


async def test_what_discord_does_not_take_now_comes_soon_and_holds_up_no_close(
    desk: HelpDesk,
) -> None:
    ticket, request = await asked(desk)
    desk.channels.failures["announce"] = [DiscordFailedError("503")] * 9
    assert await fire_half_way(desk, request)
    assert desk.channels.announced_by_dm == [(ticket.id, "reminder")]
    assert await desk.pending_effects(ticket) == ["remind-in-ticket"]
    await desk.close(ticket)
    assert desk.channels.removed == [ticket.id]
    assert await desk.pending_effects(ticket) == []
