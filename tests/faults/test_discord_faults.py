"""Discord drops the gateway, answers wrongly, slowly or not at all."""

from __future__ import annotations

import asyncio
import math

import pytest

from tests.faults.laboratory import Laboratory
from tests.faults.properties import assert_kept
from tests.wire import LOST, Moment

LOG = "/channels/{log}/messages"


def long(*values: object) -> object:
    return pytest.param(*values, marks=pytest.mark.long)


@pytest.mark.parametrize(
    "fault", ["identified anew", long("dropped"), long("invalidated"), long("asked to reconnect")]
)
async def test_the_gateway_may_go_at_any_time(lab: Laboratory, fault: str) -> None:
    discord = lab.discord
    bot = await lab.start()
    due, answered = await lab.open(), await lab.open()
    await lab.ask(answered, "3s")
    await lab.ask(due, "1s")
    match fault:
        case "dropped":
            await discord.drop_connections(resume=True)
        case "identified anew":
            await discord.drop_connections(resume=False)
        case "invalidated":
            await discord.invalidate_sessions()
        case _:
            await discord.ask_to_reconnect()
    await discord.say(discord.customer, answered, "It is not solved")
    await discord.wait_deleted(due)
    await discord.wait_message(answered, "stays open")
    await discord.wait_ready()
    assert bot.log.count("✅ Scheduled task system initialized") == 1
    await assert_kept(lab)
    assert await lab.status(answered) == "open"


@pytest.mark.parametrize(
    ("method", "path", "status", "times"),
    [
        ("DELETE", "/channels/*", 502, 1),
        long("POST", LOG, 500, 1),
        long("POST", LOG, 429, 2),
        long("GET", "/channels/*/messages", 429, 2),
    ],
)
async def test_an_error_that_passes_is_waited_out(
    lab: Laboratory, method: str, path: str, status: int, times: int
) -> None:
    await lab.start()
    ticket = await lab.open()
    path = path.format(log=lab.helpdesk.log_channel.id)
    fault = lab.discord.faults.add(method, path, status=status, times=times, retry_after=0.3)
    await lab.ask(ticket, "1s")
    await lab.discord.wait_deleted(ticket)
    assert fault.met == times
    await assert_kept(lab)


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("method", "path", "moment"),
    [
        ("POST", LOG, Moment.AFTER),
        ("DELETE", "/channels/*", Moment.AFTER),
        ("POST", LOG, Moment.BEFORE),
    ],
)
async def test_a_lost_answer_is_tried_again_after_a_minute_and_doubles_nothing(
    lab: Laboratory, method: str, path: str, moment: Moment
) -> None:
    await lab.start()
    ticket = await lab.open()
    path = path.format(log=lab.helpdesk.log_channel.id)
    lab.discord.on_request(method, path, lambda _: LOST, moment=moment)
    await lab.ask(ticket, "1s")
    await lab.closed(ticket, within=90)
    await assert_kept(lab, lateness=False)


async def test_a_channel_deleted_while_the_bot_was_down_counts_as_closed(lab: Laboratory) -> None:
    await lab.start()
    due, later = await lab.open(), await lab.open()
    await lab.ask(due, "1s")
    await lab.ask(later, "1h")
    await lab.kill()
    lab.delete_by_hand(due)
    lab.delete_by_hand(later)
    await lab.start()
    await lab.closed(due)
    await lab.let_run_out(later)
    await lab.closed(later)
    await assert_kept(lab, lateness=False)


async def test_one_hanging_socket_holds_up_only_its_own_ticket(lab: Laboratory) -> None:
    await lab.start()
    first, hung, *others = [await lab.open() for _ in range(5)]
    await lab.ask(first, "1s")
    await lab.discord.wait_deleted(first)
    lab.discord.faults.add("POST", LOG.format(log=lab.helpdesk.log_channel.id), hang=math.inf)
    await lab.ask(hung, "1s")
    for ticket in others:
        await lab.ask(ticket, "2s")
    for ticket in others:
        await lab.discord.wait_deleted(ticket, within=30)
    assert not hung.deleted
    await lab.restart()
    await lab.discord.wait_deleted(hung, within=20)
    await assert_kept(lab)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_a_hanging_socket_is_given_up_and_tried_again(lab: Laboratory) -> None:
    """The first request to a place is the worst: no other is sent there before it is answered."""
    await lab.start()
    tickets = [await lab.open() for _ in range(4)]
    lab.discord.faults.add("POST", LOG.format(log=lab.helpdesk.log_channel.id), hang=math.inf)
    for ticket in tickets:
        await lab.ask(ticket, "1s")
    for ticket in tickets:
        await lab.closed(ticket, within=240)
    await assert_kept(lab, lateness=False)


async def test_discord_is_away_for_a_while_and_all_is_done_when_it_is_back(lab: Laboratory) -> None:
    """An absence is no failed attempt: it is not a minute before the next one, nor is it logged."""
    bot = await lab.start()
    ticket, waiting = await lab.open(), await lab.open()
    await lab.ask(waiting, "1h")
    await lab.ask(ticket, "2s")
    with lab.outage():
        await lab.discord.stop()
        await asyncio.sleep(6)
        await lab.discord.start()
    await lab.closed(ticket)
    await lab.discord.wait_ready(within=60)
    assert "❌" not in bot.log
    assert await lab.value("select count(*) from ticket_events where event = 'close_failed'") == 0
    await assert_kept(lab)


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_after_a_long_absence_of_discords_the_opener_is_told_of_a_grace(
    lab: Laboratory,
) -> None:
    """Nobody could press a button meanwhile."""
    await lab.start(OUTAGE_GRACE="6")
    ticket = await lab.open()
    await lab.ask(ticket, "2s")
    with lab.outage():
        await lab.discord.stop()
        await asyncio.sleep(15)
        await lab.discord.start()
        await lab.discord.wait_ready(within=120)
    await lab.discord.wait_message(ticket, "I was away when this ticket's time ran out")
    assert not ticket.deleted
    await lab.closed(ticket, within=20)
    await assert_kept(lab)
