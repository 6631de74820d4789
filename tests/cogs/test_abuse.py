"""One member who opens and closes tickets as fast as Discord lets them."""

from __future__ import annotations

import pytest
import simcord

from domains.settings import Settings
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
            shown = await world.amy.click(world.panel, label="Open a ticket")
            if shown.modal is not None:
                await world.amy.submit_modal(shown, {"subject": SUBJECT})
            await close_all(world, world.amy)
        assert messages_anywhere(world) - before <= HANDFUL
        assert await world.count("tickets") <= 2
        assert channels_made(world) <= 3
        assert len(world.says(world.logs)) <= 2
