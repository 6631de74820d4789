"""How effects are delivered: their order, their retries, their leases, and a fair share for all."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import ClassVar

import pytest

from domains.absence import AwayError
from domains.effects.effect import GaveUpError, Lane, NeedsPersonError
from domains.effects.runner import GUILDS_A_LOOK
from tests.effects.outbox import Outbox, Told
from tests.waiting import eventually

TICK = timedelta(seconds=10)
"""How long a test may take between a failure and its look at the row."""


class OfTomorrow(Told):
    kind: ClassVar[str] = "of-tomorrow"


async def attempt(outbox: Outbox, ticket_id: int) -> None:
    await outbox.make_due()
    with suppress(OSError, ValueError, AwayError, NeedsPersonError):
        await outbox.runner.deliver(ticket_id)


# --- order


async def test_effects_of_a_ticket_follow_each_other_and_hold_up_no_other_ticket(
    outbox: Outbox,
) -> None:
    slow, other = await outbox.ticket(), await outbox.ticket()
    go_on = outbox.hold(1)
    await outbox.add(slow, 1, 2, 3)
    await outbox.add(other, 4, 5)
    await outbox.add(slow, 6, kind="aside", lane=Lane.ATTENTION)
    outbox.runner.start()
    await eventually(lambda: len(outbox.recorded) == 3)
    assert set(outbox.recorded) == {(other, 4), (other, 5), (slow, 6)}
    go_on.set()
    await eventually(outbox.is_empty)
    assert [subject for ticket, subject in outbox.recorded if ticket == slow] == [6, 1, 2, 3]


async def test_what_waits_for_a_retry_holds_up_what_comes_after_it(outbox: Outbox) -> None:
    ticket = await outbox.ticket()
    outbox.errors[1] = [OSError("no")]
    await outbox.add(ticket, 1, kind="essential")
    await outbox.add(ticket, 2)
    await attempt(outbox, ticket)
    await outbox.runner.deliver(ticket)
    assert outbox.recorded == []
    await attempt(outbox, ticket)
    assert outbox.recorded == [(ticket, 1), (ticket, 2)]


async def test_what_is_asked_for_twice_is_done_once(outbox: Outbox) -> None:
    ticket = await outbox.ticket()
    await outbox.add(ticket, 1, 1)
    await outbox.add(ticket, 1)
    await outbox.runner.deliver(ticket)
    assert outbox.recorded == [(ticket, 1)]


async def test_what_is_asked_for_while_it_is_done_is_done_again(outbox: Outbox) -> None:
    """What it shows may be old already; and Discord must not take it for what it has."""
    ticket = await outbox.ticket()
    go_on = outbox.hold(1)
    await outbox.add(ticket, 1)
    delivering = asyncio.create_task(outbox.runner.deliver(ticket))
    await eventually(lambda: len(outbox.begun) == 1)
    await outbox.add(ticket, 1)
    go_on.set()
    await delivering
    assert outbox.begun == [(ticket, 1)] * 2
    assert len(set(outbox.nonces)) == 2
    assert await outbox.is_empty()


# --- failures


async def test_an_essential_one_is_tried_after_one_two_and_four_minutes_and_then_needs_a_person(
    outbox: Outbox,
) -> None:
    ticket = await outbox.ticket()
    outbox.errors[1] = [OSError("no")] * 5
    await outbox.add(ticket, 1, kind="essential")
    for minutes in (1, 2, 4, 15, 15):
        await attempt(outbox, ticket)
        span = timedelta(minutes=minutes)
        assert span - TICK < await outbox.due_in(ticket) <= span
    assert outbox.failed == [(1, False)] * 3 + [(1, True)] * 2
    (effect,) = await outbox.pending(ticket)
    assert effect.failures == 5
    assert effect.error == {"code": "unexpected", "type": "OSError", "text": "no"}
    await attempt(outbox, ticket)
    assert outbox.recorded == [(ticket, 1)], "for ever, until it is done"


async def test_what_only_a_person_can_mend_needs_one_at_once(outbox: Outbox) -> None:
    ticket = await outbox.ticket()
    outbox.errors[1] = [NeedsPersonError()]
    await outbox.add(ticket, 1, kind="essential")
    await attempt(outbox, ticket)
    assert outbox.failed == [(1, True)]
    assert await outbox.due_in(ticket) > timedelta(minutes=14)


async def test_what_is_only_said_is_tried_soon_and_given_up(outbox: Outbox) -> None:
    ticket = await outbox.ticket()
    outbox.errors[1] = [OSError("no")] * 4
    await outbox.add(ticket, 1)
    for seconds in (5, 30, 120):
        await attempt(outbox, ticket)
        span = timedelta(seconds=seconds)
        assert span - TICK < await outbox.due_in(ticket) <= span
    await attempt(outbox, ticket)
    assert await outbox.is_empty()
    assert outbox.failed == []


async def test_what_is_only_said_is_given_up_at_once_where_something_essential_waits_for_it(
    outbox: Outbox,
) -> None:
    ticket = await outbox.ticket()
    outbox.errors[1] = [OSError("no")]
    await outbox.add(ticket, 1, 2)
    await outbox.add(ticket, 3, kind="essential")
    await outbox.runner.deliver(ticket)
    assert outbox.recorded == [(ticket, 2), (ticket, 3)]
    assert await outbox.is_empty()


async def test_what_is_only_said_is_tried_again_though_more_is_to_be_said(outbox: Outbox) -> None:
    ticket = await outbox.ticket()
    outbox.errors[1] = [OSError("no")]
    await outbox.add(ticket, 1, 2)
    with pytest.raises(OSError, match="no"):
        await outbox.runner.deliver(ticket)
    assert outbox.recorded == []
    await attempt(outbox, ticket)
    assert outbox.recorded == [(ticket, 1), (ticket, 2)]


@pytest.mark.parametrize("kind", ["told", "essential"])
async def test_an_absence_costs_no_attempt(outbox: Outbox, kind: str) -> None:
    ticket = await outbox.ticket()
    outbox.errors[1] = [AwayError("nobody there")] * 9
    await outbox.add(ticket, 1, kind=kind)
    for _ in range(9):
        await attempt(outbox, ticket)
        assert await outbox.due_in(ticket) <= timedelta(seconds=1)
    (effect,) = await outbox.pending(ticket)
    assert effect.failures == 0
    await attempt(outbox, ticket)
    assert outbox.recorded == [(ticket, 1)]
    assert outbox.failed == []


async def test_what_gave_up_is_off_the_list_and_says_so_to_who_waits(outbox: Outbox) -> None:
    ticket = await outbox.ticket()
    outbox.errors[1] = [GaveUpError()]
    await outbox.add(ticket, 1, kind="essential")
    with pytest.raises(GaveUpError):
        await outbox.runner.deliver(ticket)
    assert await outbox.is_empty()


async def test_what_gave_up_in_its_turn_says_so_to_who_comes_then(outbox: Outbox) -> None:
    ticket = await outbox.ticket()
    outbox.errors[1] = [GaveUpError()]
    outbox.runner.start()
    await outbox.add(ticket, 1, kind="essential")
    outbox.runner.wake()
    await eventually(outbox.is_empty)
    with pytest.raises(GaveUpError):
        await outbox.runner.deliver(ticket)
    await outbox.runner.deliver(ticket)


async def test_a_kind_of_a_newer_version_is_left_to_it(outbox: Outbox) -> None:
    ticket = await outbox.ticket()
    await outbox.add(ticket, 1, kind="of-tomorrow")
    await outbox.add(ticket, 2)
    outbox.runner.start()
    for tell in (outbox.runner.deliver, outbox.runner.follow):
        await tell(ticket)
    assert outbox.begun == []
    newer = outbox.process()
    newer.register([OfTomorrow(outbox)])
    await newer.deliver(ticket)
    assert outbox.recorded == [(ticket, 1), (ticket, 2)]


# --- leases


async def test_what_somebody_is_at_is_left_to_them(outbox: Outbox) -> None:
    ticket = await outbox.ticket()
    go_on = outbox.hold(1)
    await outbox.add(ticket, 1)
    first = asyncio.create_task(outbox.runner.deliver(ticket))
    await eventually(lambda: len(outbox.begun) == 1)
    second = asyncio.create_task(outbox.process().deliver(ticket))
    go_on.set()
    await asyncio.gather(first, second)
    assert outbox.begun == [(ticket, 1)]


async def test_who_lost_the_lease_records_nothing(outbox: Outbox) -> None:
    """A process that stood still for too long: another one has done it meanwhile."""
    ticket = await outbox.ticket()
    go_on = outbox.hold(1)
    await outbox.add(ticket, 1)
    frozen = asyncio.create_task(outbox.runner.deliver(ticket))
    await eventually(lambda: len(outbox.begun) == 1)
    await outbox.leases_run_out()
    outbox.held.clear()
    await outbox.process().deliver(ticket)
    assert outbox.recorded == [(ticket, 1)]
    go_on.set()
    await frozen
    assert outbox.recorded == [(ticket, 1)]


async def test_a_slow_one_keeps_its_lease_and_a_stop_gives_it_back(outbox: Outbox) -> None:
    ticket = await outbox.ticket()
    outbox.hold(1)
    await outbox.add(ticket, 1)
    outbox.runner.start()
    await eventually(lambda: len(outbox.begun) == 1)
    await outbox.leases_run_out()

    async def is_renewed() -> bool:
        (effect,) = await outbox.pending(ticket)
        return effect.in_progress

    await eventually(is_renewed)
    await outbox.runner.stop(timedelta())
    assert not await is_renewed()
    outbox.held.clear()
    await outbox.process().deliver(ticket)
    assert outbox.recorded == [(ticket, 1)]


# --- fair shares


async def test_a_guild_with_much_to_tell_leaves_room_for_others(outbox: Outbox) -> None:
    crowd = [await outbox.ticket(guild_id=1) for _ in range(30)]
    others = [await outbox.ticket(guild_id=guild_id) for guild_id in (2, 3)]
    go_on = outbox.hold(1)
    for ticket in crowd:
        await outbox.add(ticket, 1)
    for ticket in others:
        await outbox.add(ticket, 2)
    runners = [outbox.process(max_concurrent=4, max_concurrent_a_guild=2) for _ in range(2)]
    for runner in runners:
        runner.start()
    await eventually(lambda: len(outbox.recorded) == 2)
    assert {ticket for ticket, _ in outbox.recorded} == set(others)
    await eventually(lambda: len(outbox.begun) == 4)
    await outbox.add(others[0], 3)
    await eventually(lambda: (others[0], 3) in outbox.recorded)
    begun = [ticket for ticket, _ in outbox.begun if ticket in crowd]
    assert len(begun) == 2, "over both processes"
    go_on.set()
    await eventually(outbox.is_empty)
    assert sorted({ticket for ticket, _ in outbox.recorded}) == sorted(crowd + others)


async def test_servers_in_which_all_waits_for_a_person_keep_nobody_from_their_turn(
    outbox: Outbox,
) -> None:
    await outbox.database.pool.execute(
        """with waiting as (
               insert into punctual.tickets (guild_id, number, opener_id, subject)
               select guild_id, 1, 10, '' from generate_series(1, $1) as guild_id
               returning id, guild_id)
           insert into punctual.effects (guild_id, ticket_id, kind, due_at)
           select guild_id, id, 'essential', now() + interval '15 minutes' from waiting""",
        2 * GUILDS_A_LOOK,
    )
    ticket = await outbox.ticket(guild_id=10 * GUILDS_A_LOOK)
    await outbox.add(ticket, 1)
    outbox.runner.start()
    await eventually(lambda: outbox.recorded == [(ticket, 1)])


async def test_servers_whose_slots_are_taken_keep_nobody_from_their_turn(outbox: Outbox) -> None:
    await outbox.database.pool.execute(
        """with busy as (
               insert into punctual.tickets (guild_id, number, opener_id, subject)
               select guild_id, number, 10, '' from generate_series(1, $1) as guild_id,
                      generate_series(1, 2) as number
               returning id, guild_id, number)
           insert into punctual.effects (guild_id, ticket_id, kind, lease_until)
           select guild_id, id, 'essential', case number when 1 then now() + interval '1 hour' end
           from busy""",
        GUILDS_A_LOOK,
    )
    ticket = await outbox.ticket(guild_id=10 * GUILDS_A_LOOK)
    await outbox.add(ticket, 1)
    outbox.process(max_concurrent_a_guild=1).start()
    await eventually(lambda: outbox.recorded == [(ticket, 1)])
