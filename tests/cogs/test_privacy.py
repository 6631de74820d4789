"""What is kept of a member can be deleted, and handed over; and goes when its time is over."""

from __future__ import annotations

import simcord

from domains.settings import Settings
from tests.cogs.leftovers import places_of
from tests.cogs.replies import reply
from tests.cogs.world import World, a_world

SECRET = "my neighbour is a walrus"
REASON = "walrus solved"


async def a_closed_ticket(world: World, *, by: simcord.MemberActor) -> simcord.ChannelHandle:
    """Amy's, in which Amy, Sam and Eve wrote, with files and close requests of both."""
    channel = await world.open_ticket(world.amy, f"About {SECRET}")
    world.show(channel, world.eve)
    said = await world.amy.send(
        channel, f"Please help: {SECRET}", attachments=[("walrus.txt", b"tusk")]
    )
    await world.sam.send(channel, "The moose is on its way", attachments=[("moose.txt", b"antler")])
    await world.eve.send(channel, f"I know {world.sam.mention}, ask @sam", reply_to=said)
    await world.ask_to_close(channel, "moose delivered", "1h")
    await world.amy.slash(channel, "autoclose status")
    await by.slash(channel, "close", reason=REASON)
    await world.until_closed(channel)
    return channel


async def press_delete(
    world: World, member: simcord.MemberActor, asked: simcord.InteractionResult
) -> str:
    pressed = await member.click(asked.response or asked.followups[-1], label="Delete it for good")
    return reply(pressed)


async def test_forget_me_leaves_nothing_of_a_member_anywhere(settings: Settings) -> None:
    async with a_world(settings) as world:
        await a_closed_ticket(world, by=world.amy)
        words = (SECRET, "walrus", "tusk", str(world.amy.id), "amy")
        assert await places_of(settings, *words)
        asked = await world.amy.slash(world.lobby, "forget-me")
        assert "1 closed ticket of your own" in reply(asked)
        assert await places_of(settings, SECRET), "deleted before it was confirmed"
        told = await press_delete(world, world.amy, asked)
        assert told.startswith("Deleted: what was kept of 1 closed ticket of your own")
        assert "Backups" in told
        assert await places_of(settings, *words) == []
        assert await world.count("tickets") == 1
        assert await world.count("erasures") == 0


async def test_staff_is_forgotten_in_the_tickets_of_others(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await a_closed_ticket(world, by=world.sam)
        words = ("moose", "antler", REASON, str(world.sam.id), "sam")
        asked = await world.sam.slash(world.lobby, "forget-me")
        told = await press_delete(world, world.sam, asked)
        assert "your part in 1 closed ticket of others" in told
        assert await places_of(settings, *words) == []
        # What others wrote is still there, with its files.
        assert len(await places_of(settings, SECRET)) == 2
        assert await places_of(settings, "tusk")
        ticket = await world.ticket(channel)
        assert ticket.opener_id == world.amy.id
