"""What members delete and edit in a ticket is in its transcript, as far as the bot has seen it."""

from __future__ import annotations

from pathlib import Path

import simcord

from domains.settings import Settings
from tests.cogs.replies import reply
from tests.cogs.world import World, a_world


async def closed_page(world: World, channel: simcord.ChannelHandle) -> str:
    await world.sam.slash(channel, "close")
    await world.until_closed(channel)
    return saved_page(world.settings)


def saved_page(settings: Settings) -> str:
    (page,) = Path(settings.data_dir).glob("transcripts/*/*/index.html")
    return page.read_text()


async def delete(world: World, *message_ids: int, channel: simcord.ChannelHandle) -> None:
    for message_id in message_ids:
        world.env.backend.delete_message(channel.id, message_id)
    await world.env.settle()


async def test_what_was_deleted_or_edited_is_in_the_transcript(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        first = await world.amy.send(channel, "I will sue you", attachments=[("threat.txt", b"x")])
        second = await world.amy.send(channel, "It cost 10 euros")
        await world.amy.send(channel, "The last word")
        await world.amy.edit(second, "It cost 1,000 euros")
        await delete(world, first.id, channel=channel)
        page = await closed_page(world, channel)
        assert await world.count("message_changes") == 0, "nothing is left in the database"
    assert [page.count(text) for text in ("I will sue you", "With the file threat.txt")] == [1, 1]
    assert 'class="message block deleted"' in page
    earlier, now = page.index("It cost 10 euros"), page.index("It cost 1,000 euros")
    assert page.index("I will sue you") < earlier < now < page.index("The last word")


async def test_what_the_bot_had_not_seen_is_said_to_be_unknown(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        before = await world.amy.send(channel, "I will sue you")
        await world.restart_bot()
        await delete(world, before.id, channel=channel)
        page = await closed_page(world, channel)
    assert "I will sue you" not in page
    assert "What it said is not known" in page


async def test_a_server_that_does_not_want_it_keeps_nothing(settings: Settings) -> None:
    async with a_world(settings) as world:
        text = reply(await world.boss.slash(world.lobby, "setup", keep_deleted=False))
        assert "Deleted and edited messages: not in the transcript" in text
        channel = await world.open_ticket(world.amy)
        message = await world.amy.send(channel, "I will sue you")
        await world.amy.edit(message, "I will thank you")
        assert await world.count("message_changes") == 0
        await delete(world, message.id, channel=channel)
        assert await world.count("message_changes") == 0
        page = await closed_page(world, channel)
    assert "sue" not in page
    assert "will thank you" not in page


async def test_elsewhere_nothing_is_kept_and_nobody_is_asked(settings: Settings) -> None:
    async with a_world(settings) as world:
        await world.open_ticket(world.amy)
        message = await world.amy.send(world.lobby, "Hello")
        await world.amy.edit(message, "Hello, all")
        await delete(world, message.id, channel=world.lobby)
        assert await world.count("message_changes") == 0


async def test_a_ticket_takes_only_so_much_room(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.amy.send(channel, "word 0")
        await world.sql.execute(
            """insert into punctual.message_changes
                   (guild_id, ticket_id, message_id, kind, sent_at, content)
               select $1, $2, $3, 'edited', now(), 'earlier' from generate_series(1, 499)""",
            world.guild.id,
            (await world.ticket(channel)).id,
            message.id,
        )
        for number in range(1, 4):
            await world.amy.edit(message, f"word {number}")
        assert await world.count("message_changes") == 500
