"""Opening a ticket: the button, the modal, the private channel, and where there is no room."""

from __future__ import annotations

import discord
import pytest
import simcord

from domains.settings import Settings
from tests.cogs.forgery import submit_at_once
from tests.cogs.limits import enforce_channel_limits, fill
from tests.cogs.replies import refusal, reply
from tests.cogs.world import SUBJECT, World, a_world
from tests.waiting import eventually


def viewers(world: World, channel: simcord.ChannelHandle) -> set[int]:
    """Of all members of the guild, but for its owner, whom nothing can be hidden from."""
    flag = discord.Permissions(view_channel=True).value
    backend = world.env.backend
    return {
        user_id
        for user_id in world.guild.member_ids()
        if user_id != world.guild.owner.id
        and backend.compute_permissions(world.guild.id, user_id, channel.id) & flag
    }


def category_of(world: World, channel: simcord.ChannelHandle) -> str | None:
    parent_id = world.env.backend.get_channel(channel.id).parent_id
    return world.env.backend.get_channel(parent_id).name if parent_id else None


async def test_the_button_asks_for_the_subject(settings: Settings) -> None:
    async with a_world(settings) as world:
        shown = await world.amy.click(world.panel, label="Open a ticket")
        assert shown.modal is not None
        assert shown.modal["title"] == "Open a ticket"
        assert "'max_length': 200" in str(shown.modal)
        assert await world.count("tickets") == 0


async def test_who_only_looks_at_the_form_leaves_nothing_in_memory(settings: Settings) -> None:
    async with a_world(settings) as world:
        for _ in range(20):
            await world.amy.click(world.panel, label="Open a ticket")
        state = world.bot._connection  # pyright: ignore[reportPrivateUsage]
        assert not state._view_store._modals  # pyright: ignore[reportPrivateUsage]


async def test_a_form_that_was_open_over_a_restart_still_opens_the_ticket(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        shown = await world.amy.click(world.panel, label="Open a ticket")
        await world.restart_bot()
        text = reply(await world.amy.submit_modal(shown, {"subject": "Written meanwhile"}))
        assert text.startswith("Your ticket is open")


async def test_the_opener_is_told_where_the_ticket_is(settings: Settings) -> None:
    async with a_world(settings) as world:
        text = reply(await world.ask_for_ticket(world.amy))
        assert text == f"Your ticket is open: {world.guild.channels['ticket-0001'].mention}"


async def test_a_ticket_is_seen_by_its_opener_support_and_the_bot_alone(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        assert viewers(world, channel) == {world.amy.id, world.sam.id, world.bot_id}


async def test_the_category_made_for_tickets_is_hidden_as_well(settings: Settings) -> None:
    async with a_world(settings) as world:
        await world.open_ticket(world.amy)
        assert viewers(world, world.guild.channels["Tickets"]) == {world.bot_id}


async def test_without_a_support_role_only_opener_and_bot_see_the_ticket(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        await world.sql.execute("update punctual.guild_settings set support_role_ids = '{}'")
        channel = await world.open_ticket(world.amy)
        assert viewers(world, channel) == {world.amy.id, world.bot_id}


async def test_opener_and_support_can_talk_in_the_ticket(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.amy.send(channel, "Help!", attachments=[("screen.png", b"\x89PNG")])
        await world.sam.send(channel, "Coming!")
        assert [m.content for m in channel.history(viewer=world.amy)][1:] == ["Help!", "Coming!"]


async def test_tickets_are_numbered_in_their_guild(settings: Settings) -> None:
    async with a_world(settings) as world:
        other = world.neighbour()
        await other.set_up()
        assert (await world.open_ticket(world.amy)).name == "ticket-0001"
        assert (await world.open_ticket(world.eve)).name == "ticket-0002"
        assert (await other.open_ticket(other.amy)).name == "ticket-0001"
        assert (await world.open_ticket(world.amy)).name == "ticket-0003"


async def test_the_number_of_a_closed_ticket_is_not_given_again(settings: Settings) -> None:
    async with a_world(settings) as world:
        first = await world.open_ticket(world.amy)
        await world.amy.slash(first, "close")
        await world.until_closed(first)
        assert (await world.open_ticket(world.amy)).name == "ticket-0002"


async def test_the_subject_is_in_the_topic_and_in_the_first_message(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        assert SUBJECT in (world.env.backend.get_channel(channel.id).topic or "")
        assert SUBJECT in world.says(channel)[0]
        assert (await world.ticket(channel)).subject == SUBJECT


async def test_the_first_message_pings_the_opener_and_support_and_nobody_else(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy, f"@everyone {world.eve.mention} @here")
        (welcome,) = world.env.backend.messages[channel.id].values()
        assert welcome.ping_user_ids == [world.amy.id]
        assert welcome.ping_role_ids == [world.support.id]
        assert not welcome.mention_everyone


async def test_tickets_go_into_one_category(settings: Settings) -> None:
    async with a_world(settings) as world:
        first, second = await world.open_ticket(world.amy), await world.open_ticket(world.eve)
        assert category_of(world, first) == category_of(world, second) == "Tickets"
        assert list(world.guild.channels).count("Tickets") == 1


async def test_tickets_go_into_the_category_that_was_set(settings: Settings) -> None:
    async with a_world(settings) as world:
        category = world.guild.create_category("Help")
        await world.boss.slash(world.lobby, "setup", category=category)
        channel = await world.open_ticket(world.amy)
        assert category_of(world, channel) == "Help"
        assert viewers(world, channel) == {world.amy.id, world.sam.id, world.bot_id}
        assert "Tickets" not in world.guild.channels


async def test_a_category_that_was_deleted_is_made_anew(settings: Settings) -> None:
    async with a_world(settings) as world:
        category = world.guild.create_category("Help")
        await world.boss.slash(world.lobby, "setup", category=category)
        world.env.backend.delete_channel(category.id)
        assert category_of(world, await world.open_ticket(world.amy)) == "Tickets"


@pytest.mark.parametrize(("name", "second"), [("Tickets", "Tickets 2"), ("Help", "Help 2")])
async def test_a_full_category_is_answered_with_a_second_one(
    settings: Settings, name: str, second: str
) -> None:
    async with a_world(settings) as world:
        category = world.guild.create_category(name)
        if name != "Tickets":
            await world.boss.slash(world.lobby, "setup", category=category)
        fill(world.guild, category)
        enforce_channel_limits(world.env)
        channels = [await world.open_ticket(world.amy), await world.open_ticket(world.eve)]
        assert [category_of(world, channel) for channel in channels] == [second, second]
        assert list(world.guild.channels).count(second) == 1
        assert viewers(world, channels[0]) == {world.amy.id, world.sam.id, world.bot_id}


@pytest.mark.parametrize("room", [0, 1])
async def test_a_full_guild_is_answered_with_a_sentence_and_leaves_no_ticket(
    settings: Settings, room: int
) -> None:
    """With room for one channel it is the ticket's own, after its category, that is refused."""
    async with a_world(settings) as world:
        enforce_channel_limits(world.env, most_in_guild=len(world.guild.channels) + room)
        text = refusal(await world.ask_for_ticket(world.amy))
        assert text == (
            "I couldn't open a ticket: this server has as many channels as Discord allows; "
            "delete some first."
        )
        assert await world.count("tickets") == 0
        assert not [name for name in world.guild.channels if name.startswith("ticket-")]


async def test_a_full_guild_can_open_tickets_once_there_is_room(settings: Settings) -> None:
    async with a_world(settings) as world:
        spare = world.guild.create_category("Spare")
        world.guild.create_category("Tickets")
        enforce_channel_limits(world.env, most_in_guild=len(world.guild.channels))
        refusal(await world.ask_for_ticket(world.amy))
        world.env.backend.delete_channel(spare.id)
        assert (await world.open_ticket(world.amy)).name == "ticket-0001"


async def test_without_manage_channels_the_member_reads_a_sentence_that_names_it(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        world.forbid_bot_everywhere(discord.Permissions(manage_channels=True))
        text = refusal(await world.ask_for_ticket(world.amy))
        assert text.startswith("I couldn't open a ticket: the bot lacks the permission")
        assert "Manage Channels" in text
        assert await world.count("tickets") == 0


async def test_an_error_of_discords_is_answered_with_a_sentence_and_leaves_no_ticket(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        world.env.inject_error("POST", "/guilds/*/channels", status=503, message="overloaded")
        text = refusal(await world.ask_for_ticket(world.amy))
        assert text == "I couldn't open a ticket: Discord didn't answer; try again in a minute."
        assert await world.count("tickets") == 0


async def test_a_first_message_that_failed_is_posted_later(settings: Settings) -> None:
    async with a_world(settings) as world:
        world.env.inject_error("POST", "/channels/*/messages", status=502)
        channel = await world.open_ticket(world.amy)
        assert world.says(channel) == []
        await world.hurry_effects()
        await world.until_all_is_told()
        assert SUBJECT in world.says(channel)[0]
        await world.half_done((await world.ticket(channel)).id, "welcome")
        await world.until_all_is_told()
        assert len(world.says(channel)) == 1


async def test_a_channel_made_before_a_crash_is_found_again(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy, "a _hostile_ · subject @here")
        ticket = await world.ticket(channel)
        await world.stop_bot()
        await world.sql.execute("update punctual.tickets set channel_id = null")
        await world.half_done(ticket.id, "open-channel", "welcome")
        await world.start_bot()

        async def is_found() -> bool:
            return await world.sql.fetchval("select channel_id from punctual.tickets") == channel.id

        await eventually(is_found)
        await world.until_all_is_told()
        assert len(world.says(channel)) == 1
        assert [name for name in world.guild.channels if name.startswith("ticket-")] == [
            "ticket-0001"
        ]


async def test_a_channel_from_before_a_lost_database_is_not_taken_for_another_members_ticket(
    settings: Settings,
) -> None:
    """Ids begin anew."""
    async with a_world(settings) as world:
        old = await world.open_ticket(world.amy, "A secret")
        await world.sql.execute("truncate punctual.tickets restart identity cascade")
        await world.ask_for_ticket(world.eve)
        assert await world.sql.fetchval("select channel_id from punctual.tickets") != old.id


async def test_a_member_has_only_so_many_open_tickets(settings: Settings) -> None:
    settings = settings.model_copy(update={"max_open_tickets": 2})
    async with a_world(settings) as world:
        first = await world.open_ticket(world.amy)
        await world.open_ticket(world.amy)
        text = refusal(await world.ask_for_ticket(world.amy))
        assert text == ("You already have 2 open tickets here. Close one before you open another.")
        assert await world.count("tickets") == 2
        await world.open_ticket(world.eve)
        await world.amy.slash(first, "close")
        await world.until_closed(first)
        await world.open_ticket(world.amy)


async def test_two_submissions_in_the_same_instant_open_one_ticket(settings: Settings) -> None:
    async with a_world(settings) as world:
        shown = [await world.amy.click(world.panel, label="Open a ticket") for _ in range(2)]
        first, second = await submit_at_once(world, world.amy, shown, SUBJECT)
        assert sorted([reply(first), reply(second)]) == [
            "Your ticket is already being opened. It'll be here in a moment.",
            f"Your ticket is open: {world.guild.channels['ticket-0001'].mention}",
        ]
        assert await world.count("tickets") == 1
        assert "ticket-0002" not in world.guild.channels
