"""A block: until when it holds, what the member reads, and its timer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domains.scheduled_task.job_type import NotDueError
from domains.ticket_lifecycle.admission import BlockedError
from domains.ticket_lifecycle.block_member import NotBlockedError, parse_block_length
from domains.ticket_lifecycle.errors import InvalidDelayError
from tests.ticket_lifecycle.helpdesk import GUILD_ID, OPENER_ID, STAFF_ID, HelpDesk

HOUR = timedelta(hours=1)


async def block(
    desk: HelpDesk, lasting: timedelta | None = HOUR, reason: str | None = "Spam"
) -> int:
    made, _ = await desk.lifecycle.blocking.block(GUILD_ID, OPENER_ID, STAFF_ID, reason, lasting)
    return made.id


async def sentence(desk: HelpDesk) -> str:
    with pytest.raises(BlockedError) as error:
        await desk.open()
    return str(error.value)


async def time_passes(desk: HelpDesk, span: timedelta) -> None:
    await desk.database.pool.execute(
        "update punctual.blocks set ends_at = ends_at - $1::interval", span
    )


async def test_a_blocked_member_reads_reason_and_end_and_nothing_is_made(desk: HelpDesk) -> None:
    await block(desk)
    [timer] = await desk.timers_of_kind("end-block")
    end = -int(-timer.due.timestamp() // 1)
    assert await sentence(desk) == (
        f"You're blocked from opening tickets in this server until <t:{end}:F> (<t:{end}:R>). "
        "The reason: Spam."
    )
    assert await desk.count_tickets() == 0
    assert desk.interruptions.calls == []
    await desk.open(opener_id=11)
    await desk.open(guild_id=2)


async def test_a_block_without_end_or_reason_says_neither_and_has_no_timer(desk: HelpDesk) -> None:
    await block(desk, None, None)
    assert await sentence(desk) == "You're blocked from opening tickets in this server."
    assert await desk.timers_of_kind("end-block") == []


async def test_a_block_survives_a_restart(desk: HelpDesk) -> None:
    await block(desk)
    assert "Spam" in await sentence(desk.restarted())


async def test_open_tickets_of_a_blocked_member_stay_open(desk: HelpDesk) -> None:
    ticket = await desk.open()
    await block(desk)
    assert await desk.write_and_note(ticket) is False
    assert (await desk.ticket(ticket.id)).status == "open"


async def test_a_block_ends_to_the_moment_even_if_its_timer_does_not_fire(desk: HelpDesk) -> None:
    await block(desk)
    await time_passes(desk, HOUR)
    assert (await desk.lifecycle.blocking.blocked(GUILD_ID, 10)) == ([], 0)
    await desk.open()


async def test_the_timer_takes_it_away_and_only_once_and_not_before_its_time(
    desk: HelpDesk,
) -> None:
    id_ = await block(desk)
    [timer] = await desk.timers_of_kind("end-block")
    assert (timer.subject_id, timer.guild_id, timer.kind) == (id_, GUILD_ID, "end-block")
    with pytest.raises(NotDueError):
        await desk.fire_timer("end-block", id_)
    await time_passes(desk, HOUR)
    assert await desk.fire_timer("end-block", id_)
    assert await desk.database.pool.fetchval("select count(*) from punctual.blocks") == 0
    assert not await desk.fire_timer("end-block", id_)


async def test_unblocking_early_removes_the_timer(desk: HelpDesk) -> None:
    await block(desk)
    await desk.lifecycle.blocking.unblock(GUILD_ID, OPENER_ID)
    assert await desk.timers_of_kind("end-block") == []
    await desk.open()
    with pytest.raises(NotBlockedError, match="<@10> isn't blocked here"):
        await desk.lifecycle.blocking.unblock(GUILD_ID, OPENER_ID)


async def test_blocking_again_replaces_end_reason_and_timer(desk: HelpDesk) -> None:
    await block(desk)
    [before] = await desk.timers_of_kind("end-block")
    _, is_replaced = await desk.lifecycle.blocking.block(
        GUILD_ID, OPENER_ID, STAFF_ID + 1, "Threats", 2 * HOUR
    )
    assert is_replaced
    [after] = await desk.timers_of_kind("end-block")
    assert after.due > before.due
    assert after.key != before.key
    [made], total = await desk.lifecycle.blocking.blocked(GUILD_ID, 10)
    assert (made.reason, made.blocked_by_id, total) == ("Threats", STAFF_ID + 1, 1)
    assert "Threats" in await sentence(desk)


async def test_an_ended_block_is_none_that_is_replaced(desk: HelpDesk) -> None:
    await block(desk)
    await time_passes(desk, HOUR)
    _, is_replaced = await desk.lifecycle.blocking.block(GUILD_ID, OPENER_ID, STAFF_ID)
    assert not is_replaced


async def test_the_list_is_of_one_server_soonest_end_first_in_pages(desk: HelpDesk) -> None:
    blocking = desk.lifecycle.blocking
    await blocking.block(GUILD_ID, 1, STAFF_ID)
    for member_id, hours in ((2, 3), (3, 1), (4, 2)):
        await blocking.block(GUILD_ID, member_id, STAFF_ID, None, timedelta(hours=hours))
    await blocking.block(2, 5, STAFF_ID)
    first, total = await blocking.blocked(GUILD_ID, 3)
    rest, _ = await blocking.blocked(GUILD_ID, 3, 3)
    assert [made.member_id for made in (*first, *rest)] == [3, 4, 2, 1]
    assert total == 4


@pytest.mark.parametrize(
    ("text", "length"),
    [
        (None, None),
        ("0", None),
        ("12", timedelta(hours=12)),
        ("30m", timedelta(minutes=30)),
        ("1:30", timedelta(minutes=90)),
        ("7 days", timedelta(days=7)),
        ("365d", timedelta(days=365)),
    ],
)
def test_how_long_is_written_as_a_close_delay_is(
    text: str | None, length: timedelta | None
) -> None:
    assert parse_block_length(text) == length


@pytest.mark.parametrize("text", ["soon", "59s", "366d", "-1h", "9" * 60])
def test_what_is_no_length_is_refused_with_what_is(text: str) -> None:
    with pytest.raises(InvalidDelayError, match="A block lasts from 1 minute to 365 days, like"):
        parse_block_length(text)
