"""`/setup` and `/panel`: what an admin does once."""

from __future__ import annotations

import discord
import simcord

from domains.settings import Settings
from tests.cogs.forgery import press
from tests.cogs.replies import refusal, reply
from tests.cogs.shown import custom_ids, words
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
        assert "Attach Files in \\#logs" in text
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
        assert custom_ids(world.panel) == {"Open a ticket": "ticket:open"}


async def test_a_panel_of_an_older_version_opens_tickets(settings: Settings) -> None:
    async with a_world(settings) as world:
        view = discord.ui.View()
        view.add_item(discord.ui.Button(label="Open a ticket", custom_id="ticket:open"))
        lobby = world.bot.get_channel(world.lobby.id)
        assert isinstance(lobby, discord.TextChannel)
        view.stop()
        await lobby.send(embed=discord.Embed(title="Support"), view=view)
        panel = world.lobby.last_message
        assert panel is not None
        shown = await world.amy.click(panel, label="Open a ticket")
        reply(await world.amy.submit_modal(shown, {"subject": "From the old panel"}))
        assert "ticket-0001" in world.guild.channels


async def test_a_panel_without_a_support_role_says_what_to_do(settings: Settings) -> None:
    async with a_world(settings) as world:
        await world.sql.execute("update punctual.guild_settings set support_role_ids = '{}'")
        text = reply(await world.boss.slash(world.lobby, "panel"))
        assert "There's no support role yet" in text
        assert "/setup support_role" in text
        channel = await world.open_ticket(world.amy)
        assert "hasn't chosen a support role" in world.says(channel)[0]


async def test_the_panel_is_posted_where_and_as_the_admin_says(settings: Settings) -> None:
    async with a_world(settings) as world:
        office = world.guild.create_text_channel("office")
        result = await world.boss.slash(
            world.lobby, "panel", channel=office, title="Help desk", text="Ask **us** @everyone"
        )
        assert office.mention in reply(result)
        message = office.last_message
        assert message is not None
        assert words(message) == "### Help desk\nAsk **us** @everyone"
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
        office = world.guild.create_text_channel("office")
        await world.boss.slash(world.lobby, "panel", channel=office)
        panel = office.last_message
        assert panel is not None
        shown = await world.amy.click(panel, label="Open a ticket")
        reply(await world.amy.submit_modal(shown, {"subject": "From the other panel"}))
        assert "ticket-0001" in world.guild.channels


# --- a log channel that everyone reads


CONFIRM = "Everyone may read the transcripts"


def the_message(result: simcord.InteractionResult) -> simcord.ResponseMessage:
    assert result.response is not None
    return result.response


async def test_a_log_channel_that_everyone_reads_is_refused_and_changes_nothing(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        before = await world.tickets.guild_settings(world.guild.id)
        category = world.guild.create_category("Help")
        text = reply(
            await world.boss.slash(world.lobby, "setup", log_channel=world.lobby, category=category)
        )
        assert f"Everyone in this server can read {world.lobby.mention}" in text
        assert "Nothing was changed" in text
        assert await world.tickets.guild_settings(world.guild.id) == before
        assert "All is well" in reply(await world.boss.slash(world.lobby, "doctor"))


async def test_confirmed_it_is_taken_and_told_of_each_time(settings: Settings) -> None:
    async with a_world(settings) as world:
        category = world.guild.create_category("Help")
        asked = await world.boss.slash(
            world.lobby, "setup", log_channel=world.lobby, category=category
        )
        await world.restart_bot()
        text = reply(await world.boss.click(the_message(asked), label=CONFIRM))
        assert f"everyone can read {world.lobby.mention}" in text
        chosen = await world.tickets.guild_settings(world.guild.id)
        assert chosen.log_channel_id == world.lobby.id
        assert chosen.category_id == category.id
        assert chosen.support_role_ids == (world.support.id,)
        text = reply(await world.boss.slash(world.lobby, "doctor"))
        assert text.startswith("### 1 thing to fix")
        assert f"Everyone can read the log channel {world.lobby.mention}" in text


async def test_a_log_channel_that_is_opened_to_everyone_later_is_found(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        world.show_everyone(world.logs)
        text = reply(await world.boss.slash(world.lobby, "doctor"))
        assert f"Everyone can read the log channel {world.logs.mention}" in text
        assert "everyone can read" in reply(await world.boss.slash(world.lobby, "setup"))


async def test_roles_that_read_the_log_channel_besides_support_are_named(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        members = world.guild.create_role("Verified", permissions=discord.Permissions.none())
        world.show_role(world.logs, members)
        text = reply(await world.boss.slash(world.lobby, "doctor"))
        line = next(line for line in text.splitlines() if "Besides support" in line)
        assert members.mention in line
        assert world.support.mention not in line


async def test_the_confirming_button_is_for_managers_who_may_use_the_channel(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        before = await world.tickets.guild_settings(world.guild.id)
        asked = await world.boss.slash(world.lobby, "setup", log_channel=world.lobby)
        custom_id = f"ticket:setup:public_log:{world.lobby.id}:0:0:0"
        pressed = await press(world, world.sam, world.panel, custom_id)
        assert refusal(pressed) == "You need the permission Manage Server for that."
        world.forbid(world.lobby, world.boss, "send_messages")
        text = refusal(await world.boss.click(the_message(asked), label=CONFIRM))
        assert f"You need the permission Send Messages in {world.lobby.mention} yourself" in text
        pressed = await press(world, world.boss, world.panel, "ticket:setup:public_log:1:0:0:0")
        assert "gone" in refusal(pressed)
        assert await world.tickets.guild_settings(world.guild.id) == before


# --- what the caller may not do himself


async def test_the_panel_is_not_posted_where_the_caller_may_not_write(settings: Settings) -> None:
    async with a_world(settings) as world:
        news = world.guild.create_text_channel("news")
        world.forbid(news, world.boss, "send_messages")
        text = refusal(await world.boss.slash(world.lobby, "panel", channel=news))
        assert text.endswith(f"in {news.mention} yourself for that.")
        assert news.history() == []


async def test_nor_here_if_the_caller_may_not_write_here(settings: Settings) -> None:
    async with a_world(settings) as world:
        panels = len(world.lobby.history())
        world.forbid(world.lobby, world.boss, "send_messages")
        assert "yourself" in refusal(await world.boss.slash(world.lobby, "panel"))
        assert len(world.lobby.history()) == panels


async def test_closes_are_not_logged_where_the_caller_may_not_write(settings: Settings) -> None:
    async with a_world(settings) as world:
        before = await world.tickets.guild_settings(world.guild.id)
        news = world.guild.create_text_channel("news")
        world.forbid(news, world.boss, "send_messages")
        text = refusal(await world.boss.slash(world.lobby, "setup", log_channel=news))
        assert text == f"You need the permission Send Messages in {news.mention} yourself for that."
        assert await world.tickets.guild_settings(world.guild.id) == before
