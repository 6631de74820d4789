"""Who may do what. Discord's own settings hide commands; the bot checks them all the same."""

from __future__ import annotations

from typing import Any

import pytest
import simcord

from domains.settings import Settings
from tests.cogs.replies import refusal, reply
from tests.cogs.world import World, a_world

NEEDS_MANAGE_SERVER = "You need the permission Manage Server for that."
SUPPORT_ONLY = "Only support can do that."
NOT_A_TICKET = "This isn't a ticket channel. Try it in a ticket."

SUPPORT_COMMANDS: list[tuple[str, dict[str, Any]]] = [
    ("closerequest", {}),
    ("closerequest", {"reason": "done", "close_delay": "2h"}),
    ("autoclose exclude", {}),
    ("autoclose include", {}),
]
ANYWHERE: list[tuple[str, dict[str, Any]]] = [("timers", {})]
TICKET_COMMANDS: list[tuple[str, dict[str, Any]]] = [
    *SUPPORT_COMMANDS,
    ("autoclose status", {}),
    ("close", {}),
]


def let_everybody_run(world: World, name: str) -> None:
    """What any admin can do in the server's settings."""
    command = world.env.backend.find_command(name, None)
    assert command is not None
    world.guild.set_command_permissions(int(command["id"]), {world.guild.default_role: True})


@pytest.mark.parametrize("name", ["setup", "panel", "doctor"])
async def test_members_are_not_offered_what_needs_manage_server(
    settings: Settings, name: str
) -> None:
    async with a_world(settings) as world:
        assert name not in world.eve.available_commands(world.lobby)
        assert name not in world.sam.available_commands(world.lobby)
        assert name in world.boss.available_commands(world.lobby)


async def test_setup_needs_manage_server_even_where_an_admin_lets_everybody_run_it(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        let_everybody_run(world, "setup")
        before = await world.tickets.guild_settings(world.guild.id)
        everyone = world.guild.create_role("Anyone")
        for member in (world.eve, world.sam):
            text = refusal(await member.slash(world.lobby, "setup", support_role=everyone))
            assert text == NEEDS_MANAGE_SERVER
        assert await world.tickets.guild_settings(world.guild.id) == before


async def test_panel_needs_manage_server_even_where_an_admin_lets_everybody_run_it(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        let_everybody_run(world, "panel")
        before = world.says(world.lobby)
        for member in (world.eve, world.sam):
            assert refusal(await member.slash(world.lobby, "panel")) == NEEDS_MANAGE_SERVER
        assert world.says(world.lobby) == before


async def test_doctor_needs_manage_server_even_where_an_admin_lets_everybody_run_it(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        let_everybody_run(world, "doctor")
        for member in (world.eve, world.sam):
            assert refusal(await member.slash(world.lobby, "doctor")) == NEEDS_MANAGE_SERVER


async def test_whether_replies_keep_tickets_open_needs_manage_server(settings: Settings) -> None:
    async with a_world(settings) as world:
        for member in (world.eve, world.amy, world.sam):
            result = await member.slash(world.lobby, "autoclose replies", keep_open=False)
            assert refusal(result) == NEEDS_MANAGE_SERVER
        assert (await world.tickets.guild_settings(world.guild.id)).reply_keeps_open


@pytest.mark.parametrize(("name", "options"), [*SUPPORT_COMMANDS, *ANYWHERE], ids=str)
async def test_only_support_may_run(settings: Settings, name: str, options: dict[str, Any]) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        world.show(channel, world.eve)
        before = len(world.says(channel))
        for member in (world.amy, world.eve):
            assert refusal(await member.slash(channel, name, **options)).startswith(SUPPORT_ONLY)
        assert await world.count("close_requests") == 0
        assert await world.jobs() == []
        assert not (await world.ticket(channel)).exclude_from_autoclose
        assert len(world.says(channel)) == before


@pytest.mark.parametrize(("name", "options"), TICKET_COMMANDS, ids=str)
async def test_outside_a_ticket_there_is_nothing_to_do_for(
    settings: Settings, name: str, options: dict[str, Any]
) -> None:
    async with a_world(settings) as world:
        for member in (world.sam, world.boss, world.eve):
            assert refusal(await member.slash(world.lobby, name, **options)) == NOT_A_TICKET
        assert await world.count("close_requests") == 0


async def test_a_stranger_may_not_close_a_ticket(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        world.show(channel, world.eve)
        text = refusal(await world.eve.slash(channel, "close", reason="mine now"))
        assert text == "Only the member who opened this ticket, or support, can do that."
        assert world.exists(channel)
        assert (await world.ticket(channel)).status == "open"


@pytest.mark.parametrize("who", ["amy", "sam"])
async def test_the_opener_and_support_may_close_a_ticket(settings: Settings, who: str) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        member: simcord.MemberActor = getattr(world, who)
        await member.slash(channel, "close")
        await world.until_closed(channel)
        assert (await world.ticket(channel)).closed_by_id == member.id


async def test_the_opener_of_another_ticket_is_a_stranger(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.open_ticket(world.eve)
        world.show(channel, world.eve)
        refusal(await world.eve.slash(channel, "close"))
        assert world.exists(channel)


@pytest.mark.parametrize("label", ["Accept & Close", "Deny & Keep Open"])
async def test_a_stranger_may_not_answer_for_the_opener(settings: Settings, label: str) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        world.show(channel, world.eve)
        message = await world.ask_to_close(channel, delay="2h")
        jobs = await world.jobs()
        refusal(await world.eve.click(message, label=label))
        assert (await world.request(channel)).status == "pending"
        assert await world.jobs() == jobs
        assert world.message(channel, message.id).components


async def test_support_may_not_accept_for_the_opener(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel)
        text = refusal(await world.sam.click(message, label="Accept & Close"))
        assert (
            text
            == "Only the member who opened this ticket can accept. If you're support, use `/close`."
        )
        assert (await world.request(channel)).status == "pending"
        assert world.exists(channel)


async def test_who_loses_the_support_role_loses_its_rights(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        world.show(channel, world.sam)
        world.env.backend.remove_member_role(world.guild.id, world.sam.id, world.support.id)
        assert refusal(await world.sam.slash(channel, "closerequest")) == (
            f"{SUPPORT_ONLY} Ask them here, or use `/close` to close your own ticket."
        )


async def test_another_support_role_takes_the_place_of_the_first(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        helpers = world.guild.create_role("Helpers")
        reply(await world.boss.slash(world.lobby, "setup", support_role=helpers))
        world.env.backend.add_member_role(world.guild.id, world.eve.id, helpers.id)
        world.show(channel, world.eve)
        assert refusal(await world.sam.slash(channel, "autoclose exclude")).startswith(SUPPORT_ONLY)
        assert "nobody has asked" in reply(await world.eve.slash(channel, "autoclose status"))


async def test_everyone_cannot_be_support(settings: Settings) -> None:
    async with a_world(settings) as world:
        before = await world.tickets.guild_settings(world.guild.id)
        result = await world.boss.slash(world.lobby, "setup", support_role=world.guild.default_role)
        assert (
            refusal(result)
            == "With @everyone as support, everyone would see every ticket. Choose another role."
        )
        assert await world.tickets.guild_settings(world.guild.id) == before
