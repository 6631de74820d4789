"""Two bots on one token, one database and one Redis, by mistake or in a rolling restart: every
event goes to both, and everything still happens once."""

from __future__ import annotations

import pytest

from tests.faults.laboratory import Laboratory
from tests.faults.properties import assert_kept
from tests.waiting import eventually
from tests.wire import LOST, Moment

PROCESSING = "🤖 Processing auto-close"
UNEXPECTED = ("Traceback", "Unexpected error")


def quiet(lab: Laboratory) -> None:
    for bot in lab.bots:
        assert not any(word in bot.log for word in UNEXPECTED), bot.log


async def test_with_two_bots_everything_happens_once(lab: Laboratory) -> None:
    discord = lab.discord
    await lab.start()
    await lab.start()
    expiring, accepted, denied, answered, closed, excluded = [await lab.open() for _ in range(6)]
    await lab.ask(expiring, "1s")
    await discord.click(discord.customer, await lab.ask(accepted, "1h"), "Accept & Close")
    await discord.click(discord.customer, await lab.ask(denied, "1h"), "Deny & Keep Open")
    await lab.ask(answered, "1h")
    await discord.say(discord.customer, answered, "It is not solved")
    await discord.wait_message(answered, "stays open")
    await discord.slash(discord.staff, closed, "close", reason="Solved")
    await lab.ask(excluded, "1h")
    await discord.slash(discord.staff, excluded, "autoclose exclude")
    for channel in (expiring, accepted, closed):
        await discord.wait_deleted(channel)
    lab.delete_by_hand(excluded)
    await lab.closed(excluded)
    await assert_kept(lab)
    said = [message for message in answered.messages.values() if "stays open" in message.content]
    assert len(said) == 1
    quiet(lab)


@pytest.mark.parametrize("redis", [False, pytest.param(True, marks=pytest.mark.long)])
async def test_with_two_bots_many_deadlines_at_once_close_once(
    lab: Laboratory, redis: bool
) -> None:
    await lab.start()
    await lab.start()
    tickets = [await lab.open() for _ in range(8)]
    if not redis:
        lab.valkey.kill()
        for bot in lab.bots:
            await bot.logged("Redis not available")
    for ticket in tickets:
        await lab.ask(ticket, "2s")
    # So slow that both are at the same ticket, if nothing keeps them from it.
    log = f"/channels/{lab.helpdesk.log_channel.id}/messages"
    lab.discord.faults.add("POST", log, hang=0.7, times=None)
    for ticket in tickets:
        await lab.discord.wait_deleted(ticket, within=20)
    if not redis:
        await lab.valkey.restart_empty()
        for bot in lab.bots:
            await bot.logged("Redis is back")
    await assert_kept(lab)
    quiet(lab)


async def test_when_one_of_two_bots_is_killed_in_a_close_the_other_finishes_it(
    lab: Laboratory,
) -> None:
    await lab.start()
    await lab.start()
    ticket = await lab.open()

    async def strike(_: object) -> object:
        """Whichever of them it is that closes."""
        await eventually(lambda: any(PROCESSING in bot.log for bot in lab.bots))
        [closing] = [bot for bot in lab.bots if PROCESSING in bot.log]
        lab.strike(closing)
        return LOST

    lab.discord.on_request(
        "POST",
        f"/channels/{lab.helpdesk.log_channel.id}/messages",
        strike,
        moment=Moment.AFTER,
    )
    await lab.ask(ticket, "1s")
    await lab.discord.wait_deleted(ticket, within=30)
    lab.recovered()
    await assert_kept(lab)


@pytest.mark.long
async def test_with_two_bots_many_openings_in_a_slow_discord_leave_no_stray_channel(
    lab: Laboratory,
) -> None:
    """To the other bot, an opening that has to wait its turn looks half done."""
    discord = lab.discord
    await lab.start()
    await lab.start()
    panel = await lab.panel()
    members = [discord.add_member(f"member{number}") for number in range(20)]
    discord.faults.add("POST", "/guilds/*/channels", hang=1.5, times=None)
    for member in members:
        form = await discord.click(member, panel, "Open a ticket")
        discord.begin_submit_modal(member, form, {"subject": "It is broken"})
    await discord.drop_connections(resume=False)  # ready anew, they look for what is half done

    await lab.nothing_is_half_open(within=90)
    discord.faults.clear()
    for member in members:
        if not await lab.value("select count(*) from tickets where opener_id = $1", member.id):
            await lab.helpdesk.open_ticket(panel, member=member)
    await assert_kept(lab, within=40)
    assert await lab.value("select count(*) from tickets") == len(members)
