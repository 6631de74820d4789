"""After an outage longer than OUTAGE_GRACE nobody finds their ticket slammed shut; after a
shorter one, what is due closes at once."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from tests.faults.laboratory import Laboratory
from tests.faults.properties import assert_kept, settled
from tests.wire import Channel, Message, Moment

AWAY = "I was away when this ticket's time ran out"
GRACE = {"OUTAGE_GRACE": "6"}
LONG_S, SHORT_S = 60.0, 20.0


def announcements(channel: Channel) -> list[Message]:
    return [message for message in channel.messages.values() if AWAY in message.content]


async def deadline(lab: Laboratory, channel: Channel) -> datetime:
    found = await lab.value(
        """select r.auto_close_at from close_requests r join tickets t on t.id = r.ticket_id
           where t.channel_id = $1 order by r.id desc limit 1""",
        channel.id,
    )
    assert isinstance(found, datetime)
    return found


async def overdue(lab: Laboratory, count: int, seconds_ago: float) -> list[Channel]:
    """Tickets that fell due while the bot was down, which it is."""
    await lab.start(**GRACE)
    tickets = [await lab.open() for _ in range(count)]
    for ticket in tickets:
        await lab.ask(ticket, "1h")
    await lab.kill()
    for ticket in tickets:
        await lab.let_run_out(ticket, seconds_ago)
    return tickets


async def test_after_a_long_outage_the_overdue_are_told_and_closed_one_after_the_other(
    lab: Laboratory,
) -> None:
    first, second, answered = await overdue(lab, 3, 30)
    await lab.discord.say(lab.discord.customer, answered, "I am still here")
    await lab.silent_for(LONG_S)
    await lab.start(**GRACE)
    for ticket in (first, second):
        message = await lab.discord.wait_message(ticket, AWAY)
        assert message.pings.users == (lab.discord.customer.user,)
        told = int((await deadline(lab, ticket)).timestamp())
        assert f"<t:{told}:F>" in message.content
        assert not ticket.deleted
    await lab.discord.wait_message(answered, "stays open")
    gap = abs(await deadline(lab, second) - await deadline(lab, first))
    assert gap.total_seconds() >= 0.9
    for ticket in (first, second):
        await lab.discord.wait_deleted(ticket, within=20)
        assert len(announcements(ticket)) == 1
    assert announcements(answered) == []
    assert await lab.request_status(answered) == "answered"
    await assert_kept(lab)


async def test_after_a_short_outage_what_is_due_closes_at_once(lab: Laboratory) -> None:
    [ticket] = await overdue(lab, 1, 2)
    await lab.silent_for(SHORT_S)
    await lab.start(OUTAGE_GRACE="60")
    await lab.discord.wait_deleted(ticket)
    assert announcements(ticket) == []
    await assert_kept(lab, lateness=False)


async def test_an_answer_in_the_grace_keeps_the_ticket_open(lab: Laboratory) -> None:
    [ticket] = await overdue(lab, 1, 30)
    await lab.silent_for(LONG_S)
    await lab.start(**GRACE)
    await lab.discord.wait_message(ticket, AWAY)
    await lab.discord.say(lab.discord.customer, ticket, "I am still here")
    await lab.discord.wait_message(ticket, "stays open")
    await assert_kept(lab)
    assert await lab.status(ticket) == "open"


@pytest.mark.long
@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name.lower())
async def test_a_kill_at_the_announcement_neither_swallows_nor_doubles_it(
    lab: Laboratory, monkeypatch: pytest.MonkeyPatch, moment: Moment
) -> None:
    """Within the minutes in which Discord remembers what was sent, that is."""
    monkeypatch.setattr("tests.wire.messages.NONCE_SECONDS", 300.0)
    [ticket] = await overdue(lab, 1, 30)
    await lab.silent_for(LONG_S)
    hook = lab.discord.on_request(
        "POST", f"/channels/{ticket.id}/messages", lab.strike_and_lose, moment=moment
    )
    await lab.begin_start(**GRACE)
    await lab.bury()
    assert hook.met == 1
    await lab.start(**GRACE)
    await lab.discord.wait_message(ticket, AWAY)
    await lab.discord.wait_deleted(ticket, within=20)
    assert len(announcements(ticket)) == 1
    await assert_kept(lab, lateness=False)


@pytest.mark.long
async def test_an_announcement_that_discord_refuses_once_comes_later(lab: Laboratory) -> None:
    """The ticket is not closed before it was announced that it will be."""
    [ticket] = await overdue(lab, 1, 30)
    await lab.silent_for(LONG_S)
    lab.discord.faults.add("POST", f"/channels/{ticket.id}/messages", status=503)
    await lab.start(**GRACE)
    message = await lab.discord.wait_message(ticket, AWAY, within=30)
    await lab.discord.wait_deleted(ticket, within=30)
    assert message is not None
    await assert_kept(lab, lateness=False)


@pytest.mark.long
async def test_an_outage_of_postgresql_counts_as_one_too(lab: Laboratory) -> None:
    await lab.start(**GRACE)
    ticket = await lab.open()
    await lab.ask(ticket, "2s")
    await lab.postgres.stop()
    await asyncio.sleep(12)
    await lab.postgres.start()
    await lab.discord.wait_message(ticket, AWAY, within=30)
    await lab.discord.wait_deleted(ticket, within=30)
    await assert_kept(lab)


@pytest.mark.long
async def test_two_bots_after_a_long_outage_announce_once(lab: Laboratory) -> None:
    tickets = await overdue(lab, 4, 30)
    await lab.silent_for(LONG_S)
    await asyncio.gather(lab.start(**GRACE), lab.start(**GRACE))
    for ticket in tickets:
        await lab.discord.wait_deleted(ticket, within=30)
        assert len(announcements(ticket)) == 1
    await settled(lab)
    await assert_kept(lab)
