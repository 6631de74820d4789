"""Discord drops the gateway, answers wrongly, slowly or not at all."""

from __future__ import annotations

import asyncio
import math

import pytest

from tests.faults.fault_env import FaultEnv
from tests.faults.properties import assert_kept
from tests.wire import LOST, Moment

LOG = "/channels/{log}/messages"


def long(*values: object) -> object:
    return pytest.param(*values, marks=pytest.mark.long)


@pytest.mark.parametrize(
    "fault", ["identified anew", long("dropped"), long("invalidated"), long("asked to reconnect")]
)
async def test_the_gateway_may_go_at_any_time(fault_env: FaultEnv, fault: str) -> None:
    discord = fault_env.discord
    bot = await fault_env.start()
    due, answered = await fault_env.open(), await fault_env.open()
    await fault_env.ask(answered, "3s")
    await fault_env.ask(due, "2s")  # discord.py waits for five before it identifies anew
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
    await discord.wait_message(answered, "so this ticket stays open")
    await discord.wait_ready()
    assert bot.log.count("✅ Scheduled task system initialized") == 1
    await assert_kept(fault_env)
    assert await fault_env.status(answered) == "open"


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
    fault_env: FaultEnv, method: str, path: str, status: int, times: int
) -> None:
    await fault_env.start()
    ticket = await fault_env.open()
    path = path.format(log=fault_env.helpdesk.log_channel.id)
    fault = fault_env.discord.faults.add(method, path, status=status, times=times, retry_after=0.3)
    await fault_env.ask(ticket, "1s")
    await fault_env.discord.wait_deleted(ticket)
    assert fault.met == times
    await assert_kept(fault_env)


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
    fault_env: FaultEnv, method: str, path: str, moment: Moment
) -> None:
    await fault_env.start()
    ticket = await fault_env.open()
    path = path.format(log=fault_env.helpdesk.log_channel.id)
    fault_env.discord.on_request(method, path, lambda _: LOST, moment=moment)
    await fault_env.ask(ticket, "1s")
    await fault_env.closed(ticket, within=90)
    await assert_kept(fault_env, lateness=False)


async def test_a_channel_deleted_while_the_bot_was_down_counts_as_closed(
    fault_env: FaultEnv,
) -> None:
    await fault_env.start()
    due, later = await fault_env.open(), await fault_env.open()
    await fault_env.ask(due, "1s")
    await fault_env.ask(later, "1h")
    await fault_env.kill()
    fault_env.delete_by_hand(due)
    fault_env.delete_by_hand(later)
    await fault_env.start()
    await fault_env.closed(due)
    await fault_env.let_run_out(later)
    await fault_env.closed(later)
    await assert_kept(fault_env, lateness=False)


async def test_one_hanging_socket_holds_up_only_its_own_ticket(fault_env: FaultEnv) -> None:
    await fault_env.start()
    first, hung, *others = [await fault_env.open() for _ in range(5)]
    await fault_env.ask(first, "1s")
    await fault_env.discord.wait_deleted(first)
    fault_env.discord.faults.add(
        "POST", LOG.format(log=fault_env.helpdesk.log_channel.id), hang=math.inf
    )
    await fault_env.ask(hung, "1s")
    for ticket in others:
        await fault_env.ask(ticket, "2s")
    for ticket in others:
        await fault_env.discord.wait_deleted(ticket, within=30)
    assert not hung.deleted
    await fault_env.restart()
    await fault_env.discord.wait_deleted(hung, within=20)
    await assert_kept(fault_env)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_a_hanging_socket_is_given_up_and_tried_again(fault_env: FaultEnv) -> None:
    """The first request to a place is the worst: no other is sent there before it is answered."""
    await fault_env.start()
    tickets = [await fault_env.open() for _ in range(4)]
    fault_env.discord.faults.add(
        "POST", LOG.format(log=fault_env.helpdesk.log_channel.id), hang=math.inf
    )
    for ticket in tickets:
        await fault_env.ask(ticket, "1s")
    for ticket in tickets:
        await fault_env.closed(ticket, within=240)
    await assert_kept(fault_env, lateness=False)


async def test_discord_is_away_for_a_while_and_all_is_done_when_it_is_back(
    fault_env: FaultEnv,
) -> None:
    """An absence is no failed attempt: it is not a minute before the next one, nor is it logged."""
    bot = await fault_env.start()
    ticket, waiting = await fault_env.open(), await fault_env.open()
    await fault_env.ask(waiting, "1h")
    await fault_env.ask(ticket, "2s")
    with fault_env.outage():
        await fault_env.discord.stop()
        await asyncio.sleep(6)
        await fault_env.discord.start()
        await fault_env.discord.wait_ready(within=60)  # as long as discord.py likes to wait
    await fault_env.closed(ticket)
    assert "❌" not in bot.log
    assert (
        await fault_env.value(
            "select count(*) from punctual.ticket_events where event = 'close_failed'"
        )
        == 0
    )
    await assert_kept(fault_env)


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_after_a_long_absence_of_discords_the_opener_is_told_of_a_grace(
    fault_env: FaultEnv,
) -> None:
    """Nobody could press a button meanwhile."""
    await fault_env.start(OUTAGE_GRACE="6")
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "2s")
    with fault_env.outage():
        await fault_env.discord.stop()
        await asyncio.sleep(15)
        await fault_env.discord.start()
        await fault_env.discord.wait_ready(within=120)
    await fault_env.discord.wait_message(ticket, "I was away when this ticket's time ran out")
    assert not ticket.deleted
    await fault_env.closed(ticket, within=20)
    await assert_kept(fault_env)
