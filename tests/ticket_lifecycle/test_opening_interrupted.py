"""An opening whose process dies is completed if the channel stands, and taken back if not."""

from __future__ import annotations

import asyncio

import pytest

from domains.database import Database
from domains.ticket_lifecycle.channels import DiscordFailedError
from domains.ticket_lifecycle.errors import UserError
from domains.ticket_lifecycle.models import Ticket, TicketStatus
from tests.ticket_lifecycle.helpdesk import GUILD_ID, OPENER_ID, HelpDesk
from tests.ticket_lifecycle.interruptions import Killed, Moment
from tests.waiting import eventually

DEATHS = (Killed, asyncio.CancelledError)
AFTER_THE_CHANNEL = [
    ("create", Moment.AFTER),
    ("welcome", Moment.BEFORE),
    ("welcome", Moment.AFTER),
]


async def killed_while_opening(
    desk: HelpDesk, call: str, moment: Moment, death: type[BaseException]
) -> None:
    desk.interruptions.kill(call, moment, death)
    with pytest.raises(death):
        await desk.open()
    await desk.grow_old()


async def only_ticket(desk: HelpDesk) -> Ticket:
    assert await desk.count_tickets() == 1
    return await desk.ticket(await desk.database.pool.fetchval("select id from punctual.tickets"))


async def is_opening(desk: HelpDesk) -> bool:
    return await desk.database.pool.fetchval("select bool_or(opening) from punctual.tickets")


@pytest.mark.parametrize("death", DEATHS)
@pytest.mark.parametrize(("call", "moment"), AFTER_THE_CHANNEL)
async def test_an_opening_that_died_after_the_channel_is_completed(
    desk: HelpDesk, call: str, moment: Moment, death: type[BaseException]
) -> None:
    await killed_while_opening(desk, call, moment, death)
    restarted = desk.restarted()
    await restarted.lifecycle.resume_unfinished()
    await restarted.lifecycle.resume_unfinished()
    ticket = await only_ticket(desk)
    assert ticket.status is TicketStatus.OPEN
    assert list(desk.channels.channels) == [ticket.channel_id]
    assert desk.channels.welcomed == [ticket.id]
    assert await desk.events(ticket) == ["opened"]
    assert not await is_opening(desk)


@pytest.mark.parametrize("death", DEATHS)
async def test_an_opening_that_died_before_the_channel_is_taken_back(
    desk: HelpDesk, death: type[BaseException]
) -> None:
    await killed_while_opening(desk, "create", Moment.BEFORE, death)
    assert await desk.count_tickets() == 1
    await desk.restarted().lifecycle.resume_unfinished()
    assert await desk.count_tickets() == 0
    assert desk.channels.channels == {}
    assert (await desk.open()).number == 1


async def test_an_opening_cancelled_while_it_waits_for_the_guild_leaves_nothing(
    desk: HelpDesk,
) -> None:
    await desk.open()
    async with desk.database.transaction() as transaction:
        await transaction.connection.execute("select * from punctual.guild_settings for update")
        opening = asyncio.create_task(desk.open(opener_id=11))
        await eventually(lambda: _somebody_waits(desk))
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
    assert await desk.count_tickets() == 1
    assert (await desk.open(opener_id=11)).number == 2


async def _somebody_waits(desk: HelpDesk) -> bool:
    return await desk.database.pool.fetchval(
        "select exists (select from pg_stat_activity"
        " where datname = current_database() and wait_event_type = 'Lock')"
    )


@pytest.mark.parametrize(("call", "moment"), [("create", Moment.BEFORE), *AFTER_THE_CHANNEL])
async def test_a_young_opening_is_left_to_whoever_is_at_it(
    desk: HelpDesk, call: str, moment: Moment
) -> None:
    desk.interruptions.kill(call, moment)
    with pytest.raises(Killed):
        await desk.open()
    calls = list(desk.interruptions.calls)
    await desk.restarted().lifecycle.resume_unfinished()
    assert desk.interruptions.calls == calls
    assert await is_opening(desk)


async def test_an_opening_whose_channel_cannot_be_looked_for_stays_for_later(
    desk: HelpDesk,
) -> None:
    await killed_while_opening(desk, "create", Moment.AFTER, Killed)
    desk.channels.failures["find"] = [DiscordFailedError("503")]
    await desk.lifecycle.resume_unfinished()
    assert await is_opening(desk)
    await desk.lifecycle.resume_unfinished()
    ticket = await only_ticket(desk)
    assert list(desk.channels.channels) == [ticket.channel_id]
    assert desk.channels.welcomed == [ticket.id]


async def test_processes_that_resume_at_once_welcome_once(
    desk: HelpDesk, second_database: Database
) -> None:
    await killed_while_opening(desk, "create", Moment.AFTER, Killed)
    other = desk.elsewhere(second_database)
    await asyncio.gather(*(process.lifecycle.resume_unfinished() for process in (desk, other) * 3))
    ticket = await only_ticket(desk)
    assert desk.channels.welcomed == [ticket.id]
    assert await desk.events(ticket) == ["opened"]


async def test_an_opening_under_way_elsewhere_is_not_resumed(
    desk: HelpDesk, second_database: Database
) -> None:
    go_on = desk.interruptions.hold("create")
    opening = asyncio.create_task(desk.open())
    await eventually(lambda: desk.interruptions.waiting == 1)
    desk.interruptions.pass_on()
    await desk.grow_old()
    await desk.elsewhere(second_database).lifecycle.resume_unfinished()
    go_on.set()
    ticket = await opening
    assert await only_ticket(desk) == ticket
    assert list(desk.channels.channels) == [ticket.channel_id]
    assert desk.channels.welcomed == [ticket.id]


async def test_an_opening_taken_back_while_it_waited_makes_no_channel(
    desk: HelpDesk, second_database: Database
) -> None:
    """A busy process makes its members wait longer than another one thinks it can take."""
    go_on = desk.interruptions.hold("create")
    openings = [asyncio.create_task(desk.open(opener_id=100 + n)) for n in range(6)]
    await eventually(lambda: desk.interruptions.waiting >= 4)
    await eventually(lambda: _count_is(desk, 6))
    desk.interruptions.pass_on()
    await desk.grow_old()
    await desk.elsewhere(second_database).lifecycle.resume_unfinished()
    go_on.set()
    results = await asyncio.gather(*openings, return_exceptions=True)
    assert all(isinstance(result, Ticket | UserError) for result in results)
    rows = await desk.database.pool.fetch("select channel_id from punctual.tickets")
    assert {row["channel_id"] for row in rows} == set(desk.channels.channels)


async def _count_is(desk: HelpDesk, count: int) -> bool:
    return await desk.count_tickets() == count


async def test_one_opening_that_cannot_be_resumed_does_not_keep_others_waiting(
    desk: HelpDesk,
) -> None:
    for opener_id in (10, 11):
        desk.interruptions.kill("create", Moment.AFTER)
        with pytest.raises(Killed):
            await desk.open(opener_id=opener_id)
    await desk.grow_old()
    desk.channels.failures["find"] = [RuntimeError("a bug")]  # of the first one's
    await desk.lifecycle.resume_unfinished()
    assert len(desk.channels.welcomed) == 1


async def test_a_member_whose_opening_died_may_open_another_a_minute_later(
    desk: HelpDesk,
) -> None:
    await killed_while_opening(desk, "create", Moment.BEFORE, Killed)
    ticket = await desk.lifecycle.open_ticket(GUILD_ID, OPENER_ID, "again")
    assert ticket.channel_id in desk.channels.channels
