"""After an outage nobody finds their ticket slammed shut: what ran out meanwhile gets a grace."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domains.database import Database
from domains.ticket_lifecycle import LifecyclePolicy
from domains.ticket_lifecycle.channels import DiscordFailedError
from domains.ticket_lifecycle.models import (
    AutoCloseOutcome,
    CloseRequest,
    RequestStatus,
    TicketStatus,
)
from tests.ticket_lifecycle.helpdesk import GUILD_ID, OPENER_ID, STAFF_ID, HelpDesk

GRACE = timedelta(minutes=10)


@pytest.fixture
async def desk(desk: HelpDesk) -> HelpDesk:
    """Nobody has ever been here."""
    await desk.database.pool.execute("delete from punctual.heartbeat")
    return desk


async def be_away(desk: HelpDesk, how_long: timedelta) -> None:
    await desk.lifecycle.record_heartbeat()
    await desk.database.pool.execute(
        "update punctual.heartbeat set seen_at = seen_at - $1::interval", how_long
    )


async def overdue(desk: HelpDesk, guild_id: int = GUILD_ID) -> CloseRequest:
    return await desk.run_out(await desk.ask(await desk.open(guild_id=guild_id)))


async def test_what_ran_out_in_an_outage_gets_a_grace_and_the_channel_is_told(
    desk: HelpDesk,
) -> None:
    request = await overdue(desk)
    await be_away(desk, timedelta(hours=1))
    await desk.lifecycle.record_heartbeat()
    graced = await desk.request(request.id)
    assert graced.status is RequestStatus.PENDING
    assert graced.grace_at is not None
    assert timedelta(minutes=9) < await desk.time_left(graced) <= GRACE
    assert await desk.deadlines() == [], "its time does not run before the opener knows"
    assert await desk.fire(request) is AutoCloseOutcome.NOT_DUE
    assert desk.channels.announcements == [(request.ticket_id, "grace")]
    assert await desk.deadlines() == [graced.auto_close_at]
    assert desk.channels.shown_deadlines[request.id] == graced.auto_close_at
    ticket = await desk.ticket(request.ticket_id)
    assert (await desk.events(ticket))[-1] == "grace"


async def test_graced_tickets_of_a_guild_close_one_after_the_other(desk: HelpDesk) -> None:
    here = [await overdue(desk, guild_id=1) for _ in range(3)]
    there = await overdue(desk, guild_id=2)
    await be_away(desk, timedelta(hours=1))
    await desk.lifecycle.record_heartbeat()
    deadlines = [(await desk.request(request.id)).auto_close_at for request in here]
    first, second, third = [deadline for deadline in deadlines if deadline]
    assert second - first == third - second == timedelta(seconds=1)
    assert (await desk.request(there.id)).auto_close_at == first


async def test_an_opener_who_wrote_in_the_outage_has_answered(desk: HelpDesk) -> None:
    request = await overdue(desk)
    desk.write(await desk.ticket(request.ticket_id))
    await be_away(desk, timedelta(hours=1))
    await desk.lifecycle.record_heartbeat()
    await desk.deliver()
    assert (await desk.request(request.id)).status is RequestStatus.ANSWERED
    assert await desk.deadlines() == []
    assert desk.channels.announcements == [(request.ticket_id, "answered")]


async def test_a_guild_without_replies_gets_its_grace_all_the_same(desk: HelpDesk) -> None:
    await desk.lifecycle.change_guild_settings(GUILD_ID, reply_keeps_open=False)
    request = await overdue(desk)
    desk.write(await desk.ticket(request.ticket_id))
    await be_away(desk, timedelta(hours=1))
    await desk.lifecycle.record_heartbeat()
    await desk.deliver()
    assert (await desk.request(request.id)).status is RequestStatus.PENDING
    assert len(desk.channels.announcements) == 1


async def test_what_has_not_run_out_keeps_its_deadline(desk: HelpDesk) -> None:
    kept = await desk.ask(await desk.open(), hours=1)
    excluded = await overdue(desk)
    await desk.lifecycle.exclude_from_autoclose(excluded.ticket_id, STAFF_ID)
    denied = await overdue(desk)
    await desk.lifecycle.cancel_close_request(denied.ticket_id, OPENER_ID)
    untouched = [await desk.request(request.id) for request in (kept, excluded, denied)]
    await be_away(desk, timedelta(hours=1))
    await desk.lifecycle.record_heartbeat()
    assert [await desk.request(request.id) for request in untouched] == untouched


@pytest.mark.parametrize(
    ("grace", "away"),
    [
        (GRACE, timedelta(minutes=9)),
        (timedelta(), timedelta(hours=1)),
        (timedelta(seconds=1), timedelta(seconds=4)),
    ],
)
async def test_a_short_outage_or_no_grace_moves_nothing(
    desk: HelpDesk, grace: timedelta, away: timedelta
) -> None:
    desk = desk.restarted(LifecyclePolicy(outage_grace=grace))
    request = await overdue(desk)
    await be_away(desk, away)
    await desk.lifecycle.record_heartbeat()
    assert await desk.request(request.id) == request
    assert await desk.fire(request) is AutoCloseOutcome.CLOSED


async def test_the_first_start_ever_is_no_outage(desk: HelpDesk) -> None:
    request = await overdue(desk)
    await desk.lifecycle.record_heartbeat()
    await desk.lifecycle.record_heartbeat()
    assert await desk.request(request.id) == request


async def test_processes_that_return_at_once_grant_one_grace(
    desk: HelpDesk, second_database: Database
) -> None:
    request = await overdue(desk)
    await be_away(desk, timedelta(hours=1))
    other = desk.elsewhere(second_database)
    await asyncio.gather(*(process.lifecycle.record_heartbeat() for process in (desk, other) * 3))
    await asyncio.gather(*(process.deliver() for process in (desk, other) * 3))
    ticket = await desk.ticket(request.ticket_id)
    assert (await desk.events(ticket)).count("grace") == 1
    assert len(desk.channels.announcements) == 1
    assert len(await desk.deadlines()) == 1


@pytest.mark.parametrize("error", [DiscordFailedError("503"), RuntimeError("a bug")])
async def test_one_channel_that_cannot_be_told_does_not_keep_others_waiting(
    desk: HelpDesk, error: Exception
) -> None:
    await overdue(desk)
    second = await overdue(desk)
    await be_away(desk, timedelta(hours=1))
    await desk.lifecycle.record_heartbeat()
    desk.channels.failures["opener_wrote_after"] = [error]  # of the first one's
    await desk.deliver()
    assert [ticket_id for ticket_id, _ in desk.channels.announcements] == [second.ticket_id]


async def test_a_grace_that_could_not_be_told_is_told_later(desk: HelpDesk) -> None:
    request = await overdue(desk)
    await be_away(desk, timedelta(hours=1))
    await desk.lifecycle.record_heartbeat()
    desk.channels.failures["opener_wrote_after"] = [DiscordFailedError("503")]
    await desk.deliver()
    assert desk.channels.announcements == []
    assert await desk.deadlines() == []
    await desk.wait_for_retry()
    await desk.deliver()
    assert [ticket_id for ticket_id, _ in desk.channels.announcements] == [request.ticket_id]


async def test_a_grace_that_may_not_be_told_calls_for_a_person_and_begins_anew(
    desk: HelpDesk,
) -> None:
    request = await overdue(desk)
    await be_away(desk, timedelta(hours=1))
    await desk.lifecycle.record_heartbeat()
    desk.channels.failures["announce"] = [DiscordFailedError("503")] * 4
    for _ in range(4):
        await desk.deliver()
        await desk.wait_for_retry()
    ticket = await desk.ticket(request.ticket_id)
    error = {"code": "discord_failed", "text": "503"}
    assert ticket.attention == {"code": "keeps_failing", "step": "announce-grace", "error": error}
    assert (await desk.events(ticket))[-5:] == [*["attempt_failed"] * 4, "attention"]
    await desk.lifecycle.retry_close(ticket.id)
    await desk.deliver()
    ticket = await desk.ticket(request.ticket_id)
    assert (ticket.status, ticket.attention) == (TicketStatus.OPEN, None)
    assert desk.channels.announcements == [(ticket.id, "grace")]
    assert len(await desk.deadlines()) == 1
