"""`/setup` and `/panel`: what an admin does once."""

from __future__ import annotations

import discord

from domains.settings import Settings
from tests.cogs.replies import refusal, reply
from tests.cogs.world import a_world


async def test_setup_keeps_what_it_is_given(settings: Settings) -> None:
    async with a_world(settings) as world:
        category = world.guild.create_category("Help")
        text = reply(await world.boss.slash(world.lobby, "setup", category=category))
        kept = await world.tickets.guild_settings(world.guild.id)
        assert kept.category_id == category.id
        assert world.support.mention in text
        assert category.mention in text
        assert world.logs.mention in text


async def test_setup_leaves_alone_what_it_is_not_given(settings: Settings) -> None:
    async with a_world(settings) as world:
        before = await world.tickets.guild_settings(world.guild.id)
        reply(await world.boss.slash(world.lobby, "setup"))
        assert await world.tickets.guild_settings(world.guild.id) == before
        assert before.support_role_ids == (world.support.id,)
        assert before.log_channel_id == world.logs.id


async def test_setup_says_at_once_which_permission_will_be_missed(settings: Settings) -> None:
    async with a_world(settings) as world:
        world.forbid_bot(world.logs, discord.Permissions(attach_files=True))
        text = reply(await world.boss.slash(world.lobby, "setup", log_channel=world.logs))
        assert "Attach Files in #logs" in text
        world.forbid_bot_everywhere(discord.Permissions(manage_channels=True))
        text = reply(await world.boss.slash(world.lobby, "setup"))
        assert "Manage Channels" in text


async def test_guilds_are_set_up_apart(settings: Settings) -> None:
    async with a_world(settings) as world:
        other = world.neighbour()
        await other.set_up()
        here = await world.tickets.guild_settings(world.guild.id)
        there = await world.tickets.guild_settings(other.guild.id)
        assert here.log_channel_id == world.logs.id
        assert there.log_channel_id == other.logs.id


async def test_the_panel_has_one_button_that_opens_tickets(settings: Settings) -> None:
    async with a_world(settings) as world:
        (row,) = world.panel.components
        assert isinstance(row, discord.ActionRow)
        (button,) = row.children
        assert isinstance(button, discord.Button)
        assert button.label == "Open a ticket"


async def test_the_panel_is_posted_where_and_as_the_admin_says(settings: Settings) -> None:
    async with a_world(settings) as world:
        result = await world.boss.slash(
            world.lobby, "panel", channel=world.logs, title="Help desk", text="Ask **us** @everyone"
        )
        assert world.logs.mention in reply(result)
        message = world.logs.last_message
        assert message is not None
        assert message.embeds[0].title == "Help desk"
        assert message.embeds[0].description == "Ask **us** @everyone"
        assert not message.mention_everyone


async def test_the_panel_cannot_be_posted_where_the_bot_may_not_write(settings: Settings) -> None:
    async with a_world(settings) as world:
        world.forbid_bot(world.logs, discord.Permissions(send_messages=True))
        text = refusal(await world.boss.slash(world.lobby, "panel", channel=world.logs))
        assert "Send Messages" in text
        assert "#logs" in text
        assert world.logs.history() == []


async def test_two_panels_open_tickets_alike(settings: Settings) -> None:
    async with a_world(settings) as world:
        await world.boss.slash(world.lobby, "panel", channel=world.logs)
        panel = world.logs.last_message
        assert panel is not None
        shown = await world.amy.click(panel, label="Open a ticket")
        reply(await world.amy.submit_modal(shown, {"subject": "From the other panel"}))
        assert "ticket-0001" in world.guild.channels
