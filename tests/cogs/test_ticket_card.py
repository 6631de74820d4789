"""The first message of a ticket: its state, and its buttons."""

from __future__ import annotations

import discord
import pytest
import simcord

from domains.settings import Settings
from tests.cogs.forgery import press
from tests.cogs.replies import refusal, reply
from tests.cogs.shown import custom_ids, field, shown
from tests.cogs.world import SUBJECT, World, a_world

LABELS = ["Close", "Close with a reason", "Ask to close", "Ticket info"]


def card(world: World, channel: simcord.ChannelHandle) -> discord.Message:
    return next(m for m in channel.history() if m.author.id == world.bot_id)


def state(world: World, channel: simcord.ChannelHandle) -> str:
    told = field(card(world, channel), "State")
    assert told is not None
    return told


async def test_it_names_the_ticket_by_its_number_alone(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        ticket = await world.ticket(channel)
        said = shown(card(world, channel))
        assert "### Ticket #0001" in said
        assert field(card(world, channel), "Subject") == SUBJECT
        assert field(card(world, channel), "Opened by") == world.amy.mention
        assert ticket.card_message_id == card(world, channel).id
        verbs = ["close", "close_reason", "ask", "info"]
        assert list(custom_ids(card(world, channel)).items()) == [
            (label, f"ticket:card:{verb}:{ticket.id}")
            for label, verb in zip(LABELS, verbs, strict=True)
        ]


async def test_it_tells_the_state_and_pings_nobody_again(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        before = world.env.backend.get_message(channel.id, card(world, channel).id)
        assert before.ping_user_ids == [world.amy.id]
        assert before.ping_role_ids == [world.support.id]
        assert state(world, channel) == "open"
        message = await world.ask_to_close(channel)
        assert "waiting for" in state(world, channel)
        message = await world.ask_to_close(channel, delay="2h")
        deadline = (await world.request(channel)).auto_close_at
        assert deadline is not None
        assert f"closes <t:{int(deadline.timestamp())}:R>" in state(world, channel)
        await world.amy.click(message, label="Need more time")
        assert f"<t:{int(deadline.timestamp()) + 24 * 3600}:R>" in state(world, channel)
        await world.sam.slash(channel, "autoclose exclude")
        assert "doesn't close by itself" in state(world, channel)
        await world.sam.slash(channel, "autoclose include")
        await world.amy.click(message, label="Deny & Keep Open")
        assert state(world, channel) == "open"
        edits = [body for method, _, body in world.sent() if method == "PATCH"]
        assert edits
        assert all(body["allowed_mentions"] == {"parse": []} for body in edits)


async def test_it_is_found_again_after_a_crash(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        ticket = await world.ticket(channel)
        said = len(world.says(channel))
        await world.sql.execute("update punctual.tickets set card_message_id = null")
        await world.half_done(ticket.id, "welcome")
        await world.restart_bot()
        await world.until_all_is_told()
        assert len(world.says(channel)) == said
        assert (await world.ticket(channel)).card_message_id == card(world, channel).id


async def test_a_first_message_of_an_older_version_is_left_alone(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.sql.execute("update punctual.tickets set card_message_id = null")
        message = await world.ask_to_close(channel, delay="2h")
        await world.amy.click(message, label="Deny & Keep Open")
        assert await world.request_statuses(channel) == ["denied"]
        assert state(world, channel) == "open"


@pytest.mark.parametrize("who", ["amy", "sam"])
async def test_close_asks_first_and_works_after_a_restart(settings: Settings, who: str) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.restart_bot()
        member: simcord.MemberActor = getattr(world, who)
        asked = await member.click(card(world, channel), label="Close")
        assert "Close this ticket for good?" in reply(asked)
        assert world.exists(channel)
        assert asked.response is not None
        await member.click(asked.response, label="Close it now")
        await world.until_closed(channel)
        assert (await world.ticket(channel)).closed_by_id == member.id


async def test_support_closes_with_a_reason(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        form = await world.sam.click(card(world, channel), label="Close with a reason")
        await world.restart_bot()
        await world.sam.submit_modal(form, {"reason": "It is out"})
        await world.until_closed(channel)
        sent = [f"{method} {body.get('content', '')}" for method, _, body in world.sent()]
        assert any("The ticket is being closed." in each for each in sent)
        assert (await world.ticket(channel)).close_reason == "It is out"


async def test_support_asks_to_close_as_by_the_command(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        form = await world.sam.click(card(world, channel), label="Ask to close")
        text = refusal(await world.sam.submit_modal(form, {"reason": "", "delay": "soon"}))
        assert "30 days" in text
        form = await world.sam.click(card(world, channel), label="Ask to close")
        asked = await world.sam.submit_modal(form, {"reason": "It is out", "delay": "2h"})
        assert reply(asked).startswith("Asked. The ticket closes <t:")
        request = await world.request(channel)
        assert request.reason == "It is out"
        assert request.auto_close_at is not None
        assert len(await world.jobs()) == 1


async def test_info_tells_the_opener_whether_it_closes_and_why(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        text = reply(await world.amy.click(card(world, channel), label="Ticket info"))
        assert "nobody has asked to close it" in text
        await world.ask_to_close(channel, delay="2h")
        text = reply(await world.amy.click(card(world, channel), label="Ticket info"))
        assert f"as {world.sam.mention} asked" in text


@pytest.mark.parametrize(
    ("label", "refused"),
    [
        ("Close", ["eve"]),
        ("Close with a reason", ["amy", "eve"]),
        ("Ask to close", ["amy", "eve"]),
        ("Ticket info", ["eve"]),
    ],
)
async def test_who_may_not_press_a_button_is_told_so(
    settings: Settings, label: str, refused: list[str]
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        for name in refused:
            member: simcord.MemberActor = getattr(world, name)
            world.show(channel, member)
            text = refusal(await member.click(card(world, channel), label=label))
            assert text.startswith("Only ")
        assert world.exists(channel)


async def test_who_loses_the_support_role_cannot_send_an_open_form(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        forms = [
            await world.sam.click(card(world, channel), label=label)
            for label in ("Close with a reason", "Ask to close")
        ]
        world.env.backend.remove_member_role(world.guild.id, world.sam.id, world.support.id)
        world.show(channel, world.sam)
        for form, values in zip(
            forms, ({"reason": "Mine"}, {"reason": "Mine", "delay": ""}), strict=True
        ):
            assert refusal(await world.sam.submit_modal(form, values)).startswith("Only support")
        assert await world.count("close_requests") == 0
        assert world.exists(channel)


async def test_forged_custom_ids_do_nothing(settings: Settings) -> None:
    async with a_world(settings) as world:
        mine, hers = await world.open_ticket(world.amy), await world.open_ticket(world.eve)
        for verb in ("close", "close_now", "close_reason", "ask", "info"):
            custom_id = f"ticket:card:{verb}:{(await world.ticket(hers)).id}"
            text = refusal(await press(world, world.amy, card(world, mine), custom_id))
            assert text.startswith("This isn't a ticket channel")
        assert world.exists(hers)


async def test_in_a_ticket_that_is_being_closed_the_buttons_say_so(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        world.env.inject_error("DELETE", f"/channels/{channel.id}", status=500)
        await world.sam.slash(channel, "close")
        for label in ("Close", "Close with a reason", "Ask to close"):
            text = refusal(await world.sam.click(card(world, channel), label=label))
            assert "already" in text
        text = reply(await world.amy.click(card(world, channel), label="Ticket info"))
        assert "being closed" in text
        await world.hurry_effects()
        await world.until_closed(channel)
