"""What the opener of a closed ticket gets by direct message, and the way on from there."""

from __future__ import annotations

import discord
import pytest
import simcord

from domains.settings import Settings
from domains.ticket_lifecycle.channels import ChannelError
from tests.cogs.replies import refusal, reply
from tests.cogs.shown import custom_ids, field, words
from tests.cogs.world import World, a_world


async def closed(world: World, *, reason: str | None = None) -> discord.Message:
    """Amy's ticket is closed by sam; returns the direct message."""
    channel = await world.open_ticket(world.amy)
    await world.sam.send(channel, "Have you tried water?")
    await world.sam.slash(channel, "close", **({"reason": reason} if reason else {}))
    await world.until_closed(channel)
    return last_dm(world.amy)


def last_dm(member: simcord.MemberActor) -> discord.Message:
    return member.user.dm_channel.history()[-1]


async def test_it_speaks_to_its_reader_and_brings_the_transcript(settings: Settings) -> None:
    async with a_world(settings) as world:
        message = await closed(world, reason="It is out")
        said = words(message)
        assert "### Your ticket #0001 was closed" in said
        assert "**sam (\\@sam)** closed it." in said
        assert field(message, "Server") == "The guild"
        assert field(message, "Reason") == "It is out"
        assert [file.filename for file in message.attachments] == ["ticket-0001.html"]
        assert custom_ids(message) == {"Open another": f"ticket:open:{world.guild.id}"}


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("accepted", "You agreed to close it."),
        ("silent", "You didn't answer in time"),
        ("closed it", "You closed it."),
    ],
)
async def test_it_says_why_in_the_second_person(settings: Settings, how: str, said: str) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        if how == "accepted":
            await world.amy.click(message, label="Accept & Close")
        elif how == "silent":
            await world.pass_deadline(channel)
        else:
            await world.amy.slash(channel, "close")
        await world.until_closed(channel)
        assert said in words(last_dm(world.amy))


@pytest.mark.parametrize("what", ["took back", "private thread"])
async def test_what_was_not_for_the_openers_eyes_is_not_sent(settings: Settings, what: str) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        if what == "took back":
            message = await world.sam.send(channel, "The password is hunter2")
            world.env.backend.delete_message(channel.id, message.id)
            await world.env.settle()
        else:
            place = world.bot.get_channel(channel.id)
            assert isinstance(place, discord.TextChannel)
            await place.create_thread(name="among us", type=discord.ChannelType.private_thread)
        await world.sam.slash(channel, "close")
        await world.until_closed(channel)
        message = last_dm(world.amy)
        assert message.attachments == []
        assert "ask support for it" in words(message)


async def test_a_file_that_is_refused_does_not_keep_the_message_back(settings: Settings) -> None:
    async with a_world(settings) as world:
        world.provoked.append(ChannelError)
        dms = f"/channels/{world.amy.user.dm_channel.id}/messages"
        world.env.inject_error("POST", dms, status=413)
        message = await closed(world)
        assert message.attachments == []
        assert "ask support for it" in words(message)


async def test_another_ticket_is_opened_from_it_after_a_restart(settings: Settings) -> None:
    async with a_world(settings) as world:
        message = await closed(world)
        await world.restart_bot()
        form = await world.amy.user.click(message, label="Open another")
        text = reply(await world.amy.user.submit_modal(form, {"subject": "It burns again"}))
        assert text == f"Your ticket is open: {world.guild.channels['ticket-0002'].mention}"


async def test_the_rules_of_the_server_hold_there_too(settings: Settings) -> None:
    settings = settings.model_copy(update={"open_cooldown": 3600})
    async with a_world(settings) as world:
        message = await closed(world)

        async def opens() -> str:
            form = await world.amy.user.click(message, label="Open another")
            return refusal(await world.amy.user.submit_modal(form, {"subject": "Again"}))

        assert "You can open the next one" in await opens()
        await world.sam.slash(world.lobby, "block", member=world.amy, reason="Enough")
        assert "blocked" in await opens()
        world.guild.remove_member(world.amy)
        assert "not a member" in await opens()
        assert await world.count("tickets") == 1
