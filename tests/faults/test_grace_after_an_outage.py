"""After an outage longer than OUTAGE_GRACE nobody finds their ticket slammed shut; after a
shorter one, what is due closes at once."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from tests.faults.fault_env import FaultEnv
from tests.faults.properties import assert_kept, settled
from tests.wire import Channel, Message, Moment

AWAY = "I was away when this ticket's time ran out"
GRACE = {"OUTAGE_GRACE": "6"}
LONG_S, SHORT_S = 60.0, 20.0


def announcements(channel: Channel) -> list[Message]:
    return [message for message in channel.messages.values() if AWAY in message.content]


async def deadline(fault_env: FaultEnv, channel: Channel) -> datetime:
    found = await fault_env.value(
        """select r.auto_close_at from punctual.close_requests r
           join punctual.tickets t on t.id = r.ticket_id
           where t.channel_id = $1 order by r.id desc limit 1""",
        channel.id,
    )
    assert isinstance(found, datetime)
    return found


async def overdue(fault_env: FaultEnv, count: int, seconds_ago: float) -> list[Channel]:
    """Tickets that fell due while the bot was down, which it is."""
    await fault_env.start(**GRACE)
    tickets = [await fault_env.open() for _ in range(count)]
    for ticket in tickets:
        await fault_env.ask(ticket, "1h")
    await fault_env.kill()
    for ticket in tickets:
        await fault_env.let_run_out(ticket, seconds_ago)
    return tickets


async def test_after_a_long_outage_the_overdue_are_told_and_closed_one_after_the_other(
    fault_env: FaultEnv,
) -> None:
    first, second, answered = await overdue(fault_env, 3, 30)
    await fault_env.discord.say(fault_env.discord.customer, answered, "I am still here")
    await fault_env.silent_for(LONG_S)
    await fault_env.start(**GRACE)
    for ticket in (first, second):
        message = await fault_env.discord.wait_message(ticket, AWAY)
        assert message.pings.users == (fault_env.discord.customer.user,)
        told = int((await deadline(fault_env, ticket)).timestamp())
        assert f"<t:{told}:F>" in message.content
        assert not ticket.deleted
    await fault_env.discord.wait_message(answered, "so this ticket stays open")
    gap = abs(await deadline(fault_env, second) - await deadline(fault_env, first))
    assert gap.total_seconds() >= 0.9
    for ticket in (first, second):
        await fault_env.discord.wait_deleted(ticket, within=20)
        assert len(announcements(ticket)) == 1
    assert announcements(answered) == []
    assert await fault_env.request_status(answered) == "answered"
    await assert_kept(fault_env)


async def test_after_a_short_outage_what_is_due_closes_at_once(fault_env: FaultEnv) -> None:
    [ticket] = await overdue(fault_env, 1, 2)
    await fault_env.silent_for(SHORT_S)
    await fault_env.start(OUTAGE_GRACE="60")
    await fault_env.discord.wait_deleted(ticket)
    assert announcements(ticket) == []
    await assert_kept(fault_env, lateness=False)


async def test_an_answer_in_the_grace_keeps_the_ticket_open(fault_env: FaultEnv) -> None:
    [ticket] = await overdue(fault_env, 1, 30)
    await fault_env.silent_for(LONG_S)
    await fault_env.start(**GRACE)
    await fault_env.discord.wait_message(ticket, AWAY)
    await fault_env.discord.say(fault_env.discord.customer, ticket, "I am still here")
    await fault_env.discord.wait_message(ticket, "so this ticket stays open")
    await assert_kept(fault_env)
    assert await fault_env.status(ticket) == "open"


@pytest.mark.long
@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name.lower())
async def test_a_kill_at_the_announcement_neither_swallows_nor_doubles_it(
    fault_env: FaultEnv, monkeypatch: pytest.MonkeyPatch, moment: Moment
) -> None:
    """Within the minutes in which Discord remembers what was sent, that is."""
    monkeypatch.setattr("tests.wire.messages.NONCE_SECONDS", 300.0)
    [ticket] = await overdue(fault_env, 1, 30)
    await fault_env.silent_for(LONG_S)
    hook = fault_env.discord.on_request(
        "POST", f"/channels/{ticket.id}/messages", fault_env.strike_and_lose, moment=moment
    )
    await fault_env.begin_start(**GRACE)
    await fault_env.bury()
    assert hook.met == 1
    await fault_env.start(**GRACE)
    await fault_env.discord.wait_message(ticket, AWAY)
    await fault_env.discord.wait_deleted(ticket, within=20)
    assert len(announcements(ticket)) == 1
    await assert_kept(fault_env, lateness=False)


@pytest.mark.long
async def test_an_announcement_that_discord_refuses_once_comes_later(fault_env: FaultEnv) -> None:
    """The ticket is not closed before it was announced that it will be."""
    [ticket] = await overdue(fault_env, 1, 30)
    await fault_env.silent_for(LONG_S)
    fault_env.discord.faults.add("POST", f"/channels/{ticket.id}/messages", status=503)
    await fault_env.start(**GRACE)
    message = await fault_env.discord.wait_message(ticket, AWAY, within=90)
    await fault_env.discord.wait_deleted(ticket, within=30)
    assert message is not None
    await assert_kept(fault_env, lateness=False)


@pytest.mark.long
async def test_an_outage_of_postgresql_counts_as_one_too(fault_env: FaultEnv) -> None:
    await fault_env.start(**GRACE)
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "2s")
    await fault_env.postgres.stop()
    await asyncio.sleep(12)
    await fault_env.postgres.start()
    await fault_env.discord.wait_message(ticket, AWAY, within=30)
    await fault_env.discord.wait_deleted(ticket, within=30)
    await assert_kept(fault_env)


@pytest.mark.long
async def test_two_bots_after_a_long_outage_announce_once(fault_env: FaultEnv) -> None:
    tickets = await overdue(fault_env, 4, 30)
    await fault_env.silent_for(LONG_S)
    await asyncio.gather(fault_env.start(**GRACE), fault_env.start(**GRACE))
    for ticket in tickets:
        await fault_env.discord.wait_deleted(ticket, within=30)
        assert len(announcements(ticket)) == 1
    await settled(fault_env)
    await assert_kept(fault_env)
