"""The reminder half-way to a deadline: in the ticket, with the request's buttons, and by DM."""

from __future__ import annotations

import discord
import pytest
import simcord

from domains.settings import Settings
from tests.cogs.replies import reply
from tests.cogs.shown import buttons, words
from tests.cogs.world import World, a_world
from tests.waiting import eventually

REMINDER = "Still there?"


async def reminded(world: World, channel: simcord.ChannelHandle) -> discord.Message:
    """Half of the time goes by; returns the reminder in the ticket, once all is told."""
    await world.pass_half(channel)
    await eventually(lambda: any(REMINDER in text for text in world.says(channel)))
    await world.until_all_is_told()
    (message,) = [m for m in channel.history() if REMINDER in words(m)]
    return message


async def test_the_opener_is_reminded_once_in_the_ticket_and_by_dm(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        message = await reminded(world, channel)
        deadline = (await world.request(channel)).auto_close_at
        assert deadline is not None
        stored = world.env.backend.get_message(channel.id, message.id)
        assert stored.ping_user_ids == [world.amy.id]
        assert stored.ping_role_ids == []
        (dm,) = world.amy.user.dm_channel.history()
        for text in (words(message), dm.content):
            assert REMINDER in text
            assert f"<t:{int(deadline.timestamp())}:R>" in text
        assert channel.mention in dm.content
        assert "The guild" in dm.content
        await world.scheduler.reconcile()
        assert await world.jobs("send-reminder") == []
        assert len(await world.jobs()) == 1


@pytest.mark.parametrize(
    ("label", "status"),
    [
        ("Accept & Close", "accepted"),
        ("Deny & Keep Open", "denied"),
        ("Need more time", "pending"),
    ],
)
async def test_its_buttons_work_as_the_requests_do(
    settings: Settings, label: str, status: str
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        await world.amy.click(await reminded(world, channel), label=label)
        await world.until_all_is_told()
        left = [m for m in channel.history() if REMINDER in words(m)]
        assert [bool(buttons(m)) for m in left] == ([status == "pending"] if left else [])
        assert await world.request_statuses(channel) == [status]
        assert world.exists(channel) is (label != "Accept & Close")
        assert (await world.request(channel)).extensions == (status == "pending")
        assert await world.jobs("send-reminder") == []


async def test_who_takes_no_direct_messages_is_reminded_in_the_ticket(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        dm_path = f"/channels/{world.amy.user.dm_channel.id}/messages"
        world.env.inject_error("POST", dm_path, status=403, code=50007, times=None)
        await world.ask_to_close(channel, delay="2h")
        await reminded(world, channel)
        assert world.amy.user.dm_channel.history() == []
        ticket = await world.ticket(channel)
        assert ticket.attention is None
        assert await world.tickets.pending_effects(ticket.id) == []


async def test_it_goes_with_an_answer_and_with_the_timer_and_moves_with_the_deadline(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        first = await world.jobs("send-reminder")
        assert len(first) == 1
        await world.sam.slash(channel, "autoclose exclude")
        assert await world.jobs("send-reminder") == []
        await world.sam.slash(channel, "autoclose include")
        assert await world.jobs("send-reminder") == first
        await world.amy.click(message, label="Need more time")
        moved = await world.jobs("send-reminder")
        assert len(moved) == 1
        assert moved != first
        await world.amy.send(channel, "Here I am")
        assert await world.jobs("send-reminder") == []


async def test_the_list_of_timers_and_the_status_of_a_ticket_show_it(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        shown = (await world.sam.slash(world.lobby, "timers")).response
        assert shown is not None
        request = await world.request(channel)
        assert request.auto_close_at is not None
        half_way = int(request.auto_close_at.timestamp() - 3600)
        for text in (
            words(shown),
            reply(await world.sam.slash(channel, "autoclose status")),
        ):
            assert f"The member is reminded: <t:{half_way}:" in text
        await reminded(world, channel)
        assert "is reminded" not in reply(await world.sam.slash(channel, "autoclose status"))
