"""A process that dies anywhere in a close: the next one goes on, and nothing is done twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from domains.database import Database
from domains.ticket_lifecycle.models import CloseRequest, TicketStatus
from tests.ticket_lifecycle.helpdesk import OPENER_ID, STAFF_ID, HelpDesk
from tests.ticket_lifecycle.interruptions import Killed, Moment
from tests.waiting import eventually

STEPS = ["show_outcome", "names", "history", "save", "log_close", "dm_opener", "remove"]
MESSAGES = 3
"""The welcome, the close request, and one of the opener's."""

Begin = Callable[[HelpDesk, CloseRequest], Awaitable[object]]
Step = tuple[str, Moment]


async def accept(desk: HelpDesk, request: CloseRequest) -> object:
    return await desk.lifecycle.accept_close_request(request.ticket_id, OPENER_ID, request.id)


async def expire(desk: HelpDesk, request: CloseRequest) -> object:
    return await desk.run_out_and_fire(request)


async def close(desk: HelpDesk, request: CloseRequest) -> object:
    return await desk.lifecycle.close_ticket(request.ticket_id, STAFF_ID)


BEGINNINGS = [
    pytest.param(accept, id="accept"),
    pytest.param(expire, id="expire"),
    pytest.param(close, id="close"),
]


async def asked(desk: HelpDesk) -> CloseRequest:
    ticket = await desk.open()
    desk.write(ticket)
    return await desk.ask(ticket)


async def die_at(
    desk: HelpDesk,
    begin: Begin,
    request: CloseRequest,
    step: Step,
) -> None:
    desk.interruptions.kill(*step)
    with pytest.raises(Killed):
        await begin(desk, request)
    assert desk.interruptions.all_happened
    await desk.leases_run_out()
    await assert_nothing_is_lost(desk, request)


async def assert_nothing_is_lost(desk: HelpDesk, request: CloseRequest) -> None:
    """At any moment: what was written is in the channel or in a whole transcript."""
    ticket = await desk.ticket(request.ticket_id)
    if ticket.channel_id not in desk.channels.channels:
        transcript = desk.transcripts.find(ticket.guild_id, ticket.id)
        assert transcript is not None
        assert transcript.message_count == MESSAGES


async def assert_closed_exactly_once(desk: HelpDesk, request: CloseRequest) -> None:
    ticket = await desk.ticket(request.ticket_id)
    assert ticket.status is TicketStatus.CLOSED
    assert desk.transcripts_of(ticket) == [str(ticket.id)]
    transcript = desk.transcripts.find(ticket.guild_id, ticket.id)
    assert transcript is not None
    assert transcript.message_count == MESSAGES
    assert desk.channels.logged == [(ticket.id, transcript)]
    assert desk.channels.dms == [ticket.id]
    assert desk.channels.removed == [ticket.id]
    events = await desk.events(ticket)
    assert events[-1] == "closed"
    assert len(events) == len(set(events)), events
    assert await desk.deadlines() == []
    assert await desk.pending_effects(ticket) == []


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("call", STEPS)
@pytest.mark.parametrize("beginning", BEGINNINGS)
async def test_a_close_that_died_is_finished_by_the_next_process(
    desk: HelpDesk, beginning: Begin, call: str, moment: Moment
) -> None:
    request = await asked(desk)
    await die_at(desk, beginning, request, (call, moment))
    await desk.restarted().deliver()
    await assert_closed_exactly_once(desk, request)


async def test_a_close_that_dies_at_every_step_in_turn_is_still_done_once(desk: HelpDesk) -> None:
    request = await asked(desk)
    await die_at(desk, accept, request, ("names", Moment.BEFORE))
    for call in STEPS[2:]:
        for moment in Moment:
            await desk.restarted().killed_at(call, moment)
            await assert_nothing_is_lost(desk, request)
    await desk.restarted().deliver()
    await assert_closed_exactly_once(desk, request)


@pytest.mark.parametrize("call", STEPS[1:])
async def test_processes_that_resume_at_once_finish_once(
    desk: HelpDesk, second_database: Database, call: str
) -> None:
    request = await asked(desk)
    await die_at(desk, accept, request, (call, Moment.AFTER))
    other = desk.elsewhere(second_database)
    await asyncio.gather(*(process.deliver() for process in (desk, other) * 2))
    await assert_closed_exactly_once(desk, request)


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("call", STEPS[3:])
async def test_a_close_that_loses_its_database_goes_on_when_that_is_back(
    desk: HelpDesk, database_url: str, call: str, moment: Moment
) -> None:
    """Every connection is cut at this step."""
    request = await asked(desk)

    async def cut() -> None:
        admin = await asyncpg.connect(database_url)
        try:
            cut = await admin.fetch(
                "select pid, pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
            await eventually(lambda: _are_gone(admin, [row["pid"] for row in cut]))
        finally:
            await admin.close()

    desk.interruptions.once(call, moment, cut)
    await asyncio.gather(accept(desk, request), return_exceptions=True)
    assert desk.interruptions.all_happened
    await desk.wait_for_retry()
    await desk.leases_run_out()
    await desk.restarted().deliver()
    await assert_closed_exactly_once(desk, request)


async def _are_gone(admin: asyncpg.Connection[asyncpg.Record], pids: list[int]) -> bool:
    return not await admin.fetchval(
        "select exists (select from pg_stat_activity where pid = any($1::int[]))", pids
    )
