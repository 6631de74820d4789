"""Two bots on one token, one database and one Redis, by mistake or in a rolling restart: every
event goes to both, and everything still happens once."""

from __future__ import annotations

import pytest

from tests.faults.fault_env import FaultEnv
from tests.faults.properties import assert_kept
from tests.waiting import eventually
from tests.wire import LOST, Moment

PROCESSING = "🤖 Processing auto-close"
UNEXPECTED = ("Traceback", "Unexpected error")


def quiet(fault_env: FaultEnv) -> None:
    for bot in fault_env.bots:
        assert not any(word in bot.log for word in UNEXPECTED), bot.log


async def test_with_two_bots_everything_happens_once(fault_env: FaultEnv) -> None:
    discord = fault_env.discord
    await fault_env.start()
    await fault_env.start()
    expiring, accepted, denied, answered, closed, excluded = [
        await fault_env.open() for _ in range(6)
    ]
    await fault_env.ask(expiring, "1s")
    await discord.click(discord.customer, await fault_env.ask(accepted, "1h"), "Accept & Close")
    await discord.click(discord.customer, await fault_env.ask(denied, "1h"), "Deny & Keep Open")
    await fault_env.ask(answered, "1h")
    await discord.say(discord.customer, answered, "It is not solved")
    await discord.wait_message(answered, "so this ticket stays open")
    await discord.slash(discord.staff, closed, "close", reason="Solved")
    await fault_env.ask(excluded, "1h")
    await discord.slash(discord.staff, excluded, "autoclose exclude")
    for channel in (expiring, accepted, closed):
        await discord.wait_deleted(channel)
    fault_env.delete_by_hand(excluded)
    await fault_env.closed(excluded)
    await assert_kept(fault_env)
    said = [message for message in answered.messages.values() if "stays open" in message.content]
    assert len(said) == 1
    quiet(fault_env)


@pytest.mark.parametrize("redis", [False, pytest.param(True, marks=pytest.mark.long)])
async def test_with_two_bots_many_deadlines_at_once_close_once(
    fault_env: FaultEnv, redis: bool
) -> None:
    await fault_env.start()
    await fault_env.start()
    tickets = [await fault_env.open() for _ in range(8)]
    if not redis:
        fault_env.valkey.kill()
        for bot in fault_env.bots:
            await bot.logged("Redis not available")
    for ticket in tickets:
        await fault_env.ask(ticket, "2s")
    # So slow that both are at the same ticket, if nothing keeps them from it.
    log = f"/channels/{fault_env.helpdesk.log_channel.id}/messages"
    fault_env.discord.faults.add("POST", log, hang=0.7, times=None)
    for ticket in tickets:
        await fault_env.discord.wait_deleted(ticket, within=20)
    if not redis:
        await fault_env.valkey.restart_empty()
        for bot in fault_env.bots:
            await bot.logged("Redis is back")
    await assert_kept(fault_env)
    quiet(fault_env)


async def test_when_one_of_two_bots_is_killed_in_a_close_the_other_finishes_it(
    fault_env: FaultEnv,
) -> None:
    await fault_env.start()
    await fault_env.start()
    ticket = await fault_env.open()

    async def strike(_: object) -> object:
        """Whichever of them it is that closes."""
        await eventually(lambda: any(PROCESSING in bot.log for bot in fault_env.bots))
        [closing] = [bot for bot in fault_env.bots if PROCESSING in bot.log]
        fault_env.strike(closing)
        return LOST

    fault_env.discord.on_request(
        "POST",
        f"/channels/{fault_env.helpdesk.log_channel.id}/messages",
        strike,
        moment=Moment.AFTER,
    )
    await fault_env.ask(ticket, "1s")
    await fault_env.discord.wait_deleted(ticket, within=30)
    fault_env.recovered()
    await assert_kept(fault_env)


@pytest.mark.long
async def test_with_two_bots_many_openings_in_a_slow_discord_leave_no_stray_channel(
    fault_env: FaultEnv,
) -> None:
    """To the other bot, an opening that has to wait its turn looks half done."""
    discord = fault_env.discord
    await fault_env.start()
    await fault_env.start()
    panel = await fault_env.panel()
    members = [discord.add_member(f"member{number}") for number in range(20)]
    discord.faults.add("POST", "/guilds/*/channels", hang=1.5, times=None)
    for member in members:
        form = await discord.click(member, panel, "Open a ticket")
        discord.begin_submit_modal(member, form, {"subject": "It is broken"})
    await discord.drop_connections(resume=False)
    await fault_env.nothing_is_half_open(within=90)
    discord.faults.clear()
    for member in members:
        if not await fault_env.value(
            "select count(*) from punctual.tickets where opener_id = $1", member.id
        ):
            await fault_env.helpdesk.open_ticket(panel, member=member)
    await assert_kept(fault_env, within=40)
    assert await fault_env.value("select count(*) from punctual.tickets") == len(members)
