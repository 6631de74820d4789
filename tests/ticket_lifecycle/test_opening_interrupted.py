"""An opening whose process dies is completed if the channel stands, and taken back if not."""

from __future__ import annotations

import asyncio

import pytest

from domains.database import Database
from domains.ticket_lifecycle.channels import DiscordFailedError
from domains.ticket_lifecycle.models import Ticket, TicketStatus
from tests.ticket_lifecycle.helpdesk import GUILD_ID, OPENER_ID, HelpDesk
from tests.ticket_lifecycle.interruptions import Killed, Moment
from tests.waiting import eventually

AFTER_THE_CHANNEL = [
    ("create", Moment.AFTER),
    ("welcome", Moment.BEFORE),
    ("welcome", Moment.AFTER),
]


async def killed_while_opening(
    desk: HelpDesk, call: str, moment: Moment, opener_id: int = OPENER_ID
) -> None:
    desk.interruptions.kill(call, moment)
    with pytest.raises(Killed):
        await desk.open(opener_id)
    await desk.grow_old()


async def only_ticket(desk: HelpDesk) -> Ticket:
    assert await desk.count_tickets() == 1
    return await desk.ticket(await desk.database.pool.fetchval("select id from punctual.tickets"))


async def is_opening(desk: HelpDesk) -> bool:
    return await desk.database.pool.fetchval("select exists (select from punctual.effects)")


@pytest.mark.parametrize(("call", "moment"), AFTER_THE_CHANNEL)
async def test_an_opening_that_died_after_the_channel_is_completed(
    desk: HelpDesk, call: str, moment: Moment
) -> None:
    await killed_while_opening(desk, call, moment)
    await desk.restarted().deliver()
    ticket = await only_ticket(desk)
    assert ticket.status is TicketStatus.OPEN
    assert list(desk.channels.channels) == [ticket.channel_id]
    assert desk.channels.welcomed == [ticket.id]
    assert await desk.events(ticket) == ["opened"]
    assert not await is_opening(desk)


async def test_an_opening_that_died_before_the_channel_is_taken_back(desk: HelpDesk) -> None:
    await killed_while_opening(desk, "create", Moment.BEFORE)
    assert await desk.count_tickets() == 1
    await desk.restarted().deliver()
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
    await desk.restarted().deliver()
    assert desk.interruptions.calls == calls
    assert await is_opening(desk)


async def test_an_opening_whose_channel_cannot_be_looked_for_stays_for_later(
    desk: HelpDesk,
) -> None:
    await killed_while_opening(desk, "create", Moment.AFTER)
    desk.channels.failures["find"] = [DiscordFailedError("503")]
    await desk.deliver()
    assert await is_opening(desk)
    await desk.wait_for_retry()
    await desk.deliver()
    ticket = await only_ticket(desk)
    assert list(desk.channels.channels) == [ticket.channel_id]
    assert desk.channels.welcomed == [ticket.id]


async def test_processes_that_resume_at_once_welcome_once(
    desk: HelpDesk, second_database: Database
) -> None:
    await killed_while_opening(desk, "create", Moment.AFTER)
    other = desk.elsewhere(second_database)
    await asyncio.gather(*(process.deliver() for process in (desk, other) * 3))
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
    await desk.elsewhere(second_database).deliver()
    go_on.set()
    ticket = await opening
    assert await only_ticket(desk) == ticket
    assert list(desk.channels.channels) == [ticket.channel_id]
    assert desk.channels.welcomed == [ticket.id]


async def test_who_stops_waiting_for_an_opening_stops_nothing(desk: HelpDesk) -> None:
    go_on = desk.interruptions.hold("create")
    opening = asyncio.create_task(desk.open())
    await eventually(lambda: desk.interruptions.waiting == 1)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    go_on.set()
    await eventually(lambda: len(desk.channels.welcomed) == 1)
    ticket = await only_ticket(desk)
    assert list(desk.channels.channels) == [ticket.channel_id]


async def test_one_opening_that_cannot_be_resumed_does_not_keep_others_waiting(
    desk: HelpDesk,
) -> None:
    for opener_id in (10, 11):
        await killed_while_opening(desk, "create", Moment.AFTER, opener_id)
    desk.channels.failures["find"] = [RuntimeError("a bug")]  # of the first one's
    await desk.deliver()
    assert len(desk.channels.welcomed) == 1


async def test_a_member_whose_opening_died_may_open_another_a_minute_later(
    desk: HelpDesk,
) -> None:
    await killed_while_opening(desk, "create", Moment.BEFORE)
    ticket = await desk.lifecycle.open_ticket(GUILD_ID, OPENER_ID, "again")
    assert ticket.channel_id in desk.channels.channels
