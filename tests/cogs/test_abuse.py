"""One member who opens and closes tickets as fast as Discord lets them."""

from __future__ import annotations

import discord
import pytest
import simcord

from domains.settings import Settings
from tests.cogs.forgery import submit_at_once
from tests.cogs.replies import refusal, reply
from tests.cogs.world import SUBJECT, World, a_world

AS_FIRST_SET = {"open_cooldown": 30}
HANDFUL = 8


def messages_anywhere(world: World) -> int:
    """Posted by the bot since Discord began, deleted ones and DMs included; not private answers."""
    return sum(
        1
        for method, path, _ in world.sent()
        if method == "POST" and path.startswith("/channels/") and path.endswith("/messages")
    )


def channels_made(world: World) -> int:
    return sum(
        1
        for method, path, body in world.sent()
        if method == "POST" and path.endswith("/channels") and "recipient_id" not in body
    )


async def close_all(world: World, member: simcord.MemberActor) -> None:
    for name in [name for name in world.guild.channels if name.startswith("ticket-")]:
        channel = world.guild.channels[name]
        await member.slash(channel, "close")
        await world.until_closed(channel)


@pytest.mark.parametrize(
    "attempts", [25, pytest.param(500, marks=[pytest.mark.long, pytest.mark.timeout(600)])]
)
async def test_a_member_who_opens_and_closes_without_end_leaves_a_handful_of_messages(
    settings: Settings, attempts: int
) -> None:
    """The button, the modal, and `/close`, over and over."""
    settings = settings.model_copy(update=AS_FIRST_SET)
    async with a_world(settings) as world:
        before = messages_anywhere(world)
        for _ in range(attempts):
            await world.ask_for_ticket(world.amy)
            await close_all(world, world.amy)
        assert messages_anywhere(world) - before <= HANDFUL
        assert await world.count("tickets") <= 2
        assert channels_made(world) <= 3
        assert len(world.says(world.logs)) <= 2


async def test_forms_that_were_opened_beforehand_open_one_ticket(settings: Settings) -> None:
    """All presses come before the first ticket, when nothing is refused yet."""
    settings = settings.model_copy(update=AS_FIRST_SET)
    async with a_world(settings) as world:
        shown = [await world.amy.click(world.panel, label="Open a ticket") for _ in range(20)]
        before = messages_anywhere(world)
        at_once = await submit_at_once(world, world.amy, shown[:10], SUBJECT)
        later = [await world.amy.submit_modal(form, {"subject": SUBJECT}) for form in shown[10:]]
        opened = [text for text in map(reply, [*at_once, *later]) if "is open" in text]
        assert len(opened) == 1
        assert await world.count("tickets") == channels_made(world) - 1 == 1, "and its category"
        assert messages_anywhere(world) - before == 1


async def test_who_is_refused_is_told_privately_and_once(
    settings: Settings,
) -> None:
    settings = settings.model_copy(update=AS_FIRST_SET)
    async with a_world(settings) as world:
        await world.open_ticket(world.amy)
        text = refusal(await world.ask_for_ticket(world.amy))
        assert text.startswith("You opened a ticket a short while ago. You can")
        await world.open_ticket(world.eve)


async def test_a_server_that_denies_the_bot_its_channels_is_not_asked_again_and_again(
    settings: Settings,
) -> None:
    """Discord shuts out an address that is answered 403 too often, and with it every server."""
    async with a_world(settings) as world:
        world.forbid_bot_everywhere(discord.Permissions(manage_channels=True))
        for _ in range(10):
            assert "Manage Channels" in refusal(await world.ask_for_ticket(world.amy))
        assert channels_made(world) == 0
        assert await world.count("tickets") == 0
