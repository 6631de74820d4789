"""`/doctor`: what is missing in a server, and how to fix it."""

from __future__ import annotations

import discord
import pytest

from domains.settings import Settings
from tests.cogs.limits import fill
from tests.cogs.replies import reply
from tests.cogs.world import World, a_world


def remedy(text: str, found: str) -> str:
    """What stands below what was found."""
    lines = text.splitlines()
    place = next(number for number, line in enumerate(lines) if found in line)
    return lines[place + 1]


async def examine(world: World) -> str:
    return reply(await world.boss.slash(world.lobby, "doctor"))


async def test_where_nothing_is_missing_all_is_well(settings: Settings) -> None:
    async with a_world(settings) as world:
        text = await examine(world)
        assert text.startswith("### All is well")
        assert "❌" not in text
        for part in (
            "Redis answers",
            "database answers",
            "intent that the bot needs is on",
            world.support.mention,
        ):
            assert part in text


@pytest.mark.parametrize(
    ("column", "value", "found"),
    [
        ("support_role_ids", "'{}'", "There is no support role"),
        ("support_role_ids", "'{1}'", "There is no support role"),
        ("log_channel_id", "null", "There is no log channel"),
        ("log_channel_id", "1", "The log channel was deleted"),
        ("category_id", "1", "The category for tickets was deleted"),
    ],
)
async def test_what_is_not_set_up_or_deleted_is_named_with_its_remedy(
    settings: Settings, column: str, value: str, found: str
) -> None:
    async with a_world(settings) as world:
        await world.sql.execute(f"update punctual.guild_settings set {column} = {value}")
        text = await examine(world)
        assert text.startswith("### 1 thing to fix")
        assert "/setup" in remedy(text, found)


async def test_missing_permissions_are_named_with_their_place(settings: Settings) -> None:
    async with a_world(settings) as world:
        world.forbid_bot(world.logs, discord.Permissions(attach_files=True))
        text = await examine(world)
        assert f"In {world.logs.mention} the bot lacks the permission Attach Files" in text
        world.forbid_bot_everywhere(discord.Permissions(manage_channels=True))
        text = await examine(world)
        assert "The bot's role lacks the permission Manage Channels" in text
        assert text.startswith("### 2 things to fix")


async def test_a_permission_is_called_as_in_the_settings_where_it_is_given(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        world.forbid_bot_everywhere(discord.Permissions(manage_roles=True))
        assert "The bot's role lacks the permission Manage Roles" in await examine(world)


@pytest.mark.parametrize("name", ["Tickets", "Tickets 2"])
async def test_the_categories_that_the_bot_makes_itself_are_checked(
    settings: Settings, name: str
) -> None:
    async with a_world(settings) as world:
        await world.open_ticket(world.amy)
        if name != "Tickets":
            world.guild.create_category(name)
        text = await examine(world)
        assert text.startswith("### All is well")
        assert f"{name} has" in text
        world.forbid_bot(world.guild.channels[name], discord.Permissions(manage_channels=True))
        text = await examine(world)
        assert text.startswith("### 1 thing to fix")
        assert f"In **{name}** the bot lacks the permission Manage Channels" in text


async def test_a_second_category_of_the_chosen_one_is_checked(settings: Settings) -> None:
    async with a_world(settings) as world:
        category = world.guild.create_category("Help")
        second = world.guild.create_category("Help 2")
        world.guild.create_category("Tickets")
        await world.boss.slash(world.lobby, "setup", category=category)
        world.forbid_bot(second, discord.Permissions(manage_channels=True))
        text = await examine(world)
        assert "In **Help 2** the bot lacks the permission Manage Channels" in text
        assert "Tickets has" not in text


@pytest.mark.parametrize("name", ["guilds", "guild_messages", "message_content"])
async def test_an_intent_that_is_off_is_named_with_its_remedy(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async with a_world(settings) as world:
        intents = world.bot.intents
        setattr(intents, name, False)
        monkeypatch.setattr(discord.Client, "intents", intents)
        text = await examine(world)
        assert text.startswith("### 1 thing to fix")
        assert f"The intent {name} is off" in text
        assert "Switch it on" in text


async def test_a_full_category_is_told_but_nothing_to_mend(settings: Settings) -> None:
    async with a_world(settings) as world:
        category = world.guild.create_category("Help")
        fill(world.guild, category)
        await world.boss.slash(world.lobby, "setup", category=category)
        text = await examine(world)
        assert text.startswith("### All is well")
        assert "50 of 50" in text
        assert "the next category" in text


async def test_tickets_that_need_attention_and_late_closes_are_counted(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        await world.pass_deadline(channel)
        await world.until_closed(channel)
        assert "The last timed close was" in await examine(world)
        stuck = await world.open_ticket(world.amy)
        world.forbid_bot(stuck, discord.Permissions(manage_channels=True))
        await world.amy.slash(stuck, "close")
        assert "1 ticket needs attention" in await examine(world)


async def test_what_can_be_looked_at_after_a_late_close_outlives_its_channel(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        await world.pass_deadline(channel)
        await world.until_closed(channel)
        await world.sql.execute(
            "update punctual.ticket_events set late_ms = 60000 where event = 'expired'"
        )
        line = remedy(await examine(world), "1 min late")
        assert "jobs failed" in line
        assert "dashboard" in line
        assert "/autoclose" not in line
