"""Others' buttons, old and invented custom_ids, other servers' tickets, commands out of place."""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg

from tests.process.bot_process import running_bot
from tests.process.helpdesk import Helpdesk
from tests.security.forgery import answer, command, press
from tests.wire import Discord, Member, Message, people

Environment = Mapping[str, str]
ACCEPT, DENY, EXTEND = (f"ticket:close_request:{what}" for what in ("accept", "deny", "extend"))
RETRY = "ticket:close:retry"
MANAGER = "You need the permission Manage Server for that."


async def rows(environment: Environment) -> list[object]:
    """All that the bot has decided so far."""
    connection = await asyncpg.connect(environment["DATABASE_URL"])
    try:
        return [
            [
                tuple(row)
                for row in await connection.fetch(f"select * from punctual.{table} order by 1")
            ]
            for table in ("tickets", "close_requests", "ticket_events", "guild_settings")
        ]
    finally:
        await connection.close()


async def the_only_request(environment: Environment) -> tuple[int, int]:
    """The ticket's id and its pending request's."""
    connection = await asyncpg.connect(environment["DATABASE_URL"])
    try:
        found = await connection.fetchrow(
            "select ticket_id, id from punctual.close_requests where status = 'pending'"
        )
        assert found is not None
        return found["ticket_id"], found["id"]
    finally:
        await connection.close()


async def test_a_press_that_is_not_ones_own_is_refused_and_changes_nothing(
    discord: Discord, helpdesk: Helpdesk, environment: Environment
) -> None:
    async with running_bot(discord, environment) as bot:
        panel = await helpdesk.set_up()
        ticket = await helpdesk.open_ticket(panel)
        other = await helpdesk.open_ticket(panel, member=discord.stranger)
        old = await helpdesk.ask(ticket, close_delay="1h")
        _, old_id = await the_only_request(environment)
        request = await helpdesk.ask(ticket, close_delay="1h")
        ticket_id, request_id = await the_only_request(environment)
        before = await rows(environment)
        mallory, alice, sam = discord.stranger, discord.customer, discord.staff

        forgeries: list[tuple[Member, str, Message]] = [
            (mallory, f"{ACCEPT}:{request_id}", request),
            (mallory, f"{DENY}:{request_id}", request),
            (mallory, f"{EXTEND}:{request_id}", request),
            (sam, f"{ACCEPT}:{request_id}", request),
            (sam, f"{EXTEND}:{request_id}", request),
            (alice, f"{ACCEPT}:{old_id}", old),
            (alice, f"{DENY}:{old_id}", request),
            (alice, f"{ACCEPT}:{request_id + 1000}", request),
            (alice, f"{ACCEPT}:999999999999999999", request),
            (alice, f"{ACCEPT}:0", request),
            (alice, f"{RETRY}:{ticket_id}", request),
            (mallory, f"{RETRY}:{ticket_id}", request),
        ]
        for who, custom_id, on in forgeries:
            text = await answer(press(discord, who, ticket, custom_id, on))
            assert "Something went wrong" not in text, (custom_id, text)
        for custom_id in (f"{ACCEPT}:{request_id}", f"{DENY}:{request_id}"):
            welcome = next(iter(other.messages.values()))
            text = await answer(press(discord, mallory, other, custom_id, welcome))
            assert text == "This isn't a ticket channel. Try it in a ticket."
            text = await answer(press(discord, alice, discord.general, custom_id, panel))
            assert text == "This isn't a ticket channel. Try it in a ticket."
        assert await rows(environment) == before
        assert "Unexpected error" not in bot.log


async def test_invented_custom_ids_are_nobodys(
    discord: Discord, helpdesk: Helpdesk, environment: Environment
) -> None:
    async with running_bot(discord, environment) as bot:
        ticket = await helpdesk.open_ticket(await helpdesk.set_up())
        request = await helpdesk.ask(ticket, close_delay="1h")
        _, request_id = await the_only_request(environment)
        before = await rows(environment)
        invented = [
            f"{ACCEPT}:{10**18}",
            f"{ACCEPT}:-{request_id}",
            f"{ACCEPT}:{request_id} ",
            f"{ACCEPT}:{request_id}:x",
            f"x{ACCEPT}:{request_id}",
            f"{ACCEPT}:0x1",
            f"{ACCEPT}:١",  # a digit, but not ours
            f"{ACCEPT}:",
            "ticket:never",
            "x" * 100,
        ]
        for custom_id in invented:
            press(discord, discord.customer, ticket, custom_id, request)
        # Asked last, answered when all the others have been seen.
        status = await discord.slash(discord.staff, ticket, "autoclose status")
        assert status.ephemeral
        assert await rows(environment) == before
        assert "Traceback" not in bot.log


async def test_another_server_reaches_nothing_of_this_one(
    discord: Discord, helpdesk: Helpdesk, environment: Environment
) -> None:
    """Mallory owns a server of her own, with everything set up, and knows all the ids."""
    async with running_bot(discord, environment):
        ticket = await helpdesk.open_ticket(await helpdesk.set_up())
        await helpdesk.ask(ticket, close_delay="1h")
        ticket_id, request_id = await the_only_request(environment)
        elsewhere = discord.add_guild("Elsewhere", discord.stranger)
        owner = elsewhere.members[discord.stranger.id]
        her_channel = discord.add_channel("hers", guild=elsewhere)
        await discord.slash(owner, her_channel, "panel")
        panel = her_channel.last_message
        assert panel is not None
        her_ticket = await helpdesk.open_ticket(panel, member=owner)
        welcome = next(iter(her_ticket.messages.values()))
        before = await rows(environment)
        for custom_id in (
            f"{ACCEPT}:{request_id}",
            f"{DENY}:{request_id}",
            f"{EXTEND}:{request_id}",
            f"{RETRY}:{ticket_id}",
        ):
            for where, on in ((her_ticket, welcome), (her_channel, panel)):
                text = await answer(press(discord, owner, where, custom_id, on))
                assert text == "This isn't a ticket channel. Try it in a ticket."
        timers = await discord.slash(owner, her_channel, "timers")
        assert timers.message is not None
        assert "No ticket here closes by itself" in timers.message.text
        assert await rows(environment) == before


async def test_commands_out_of_place_are_refused(
    discord: Discord, helpdesk: Helpdesk, environment: Environment
) -> None:
    """Even where an admin lets everybody see every command."""
    async with running_bot(discord, environment) as bot:
        ticket = await helpdesk.open_ticket(await helpdesk.set_up())
        await helpdesk.ask(ticket, close_delay="1h")
        before = await rows(environment)
        mallory, alice, sam = discord.stranger, discord.customer, discord.staff
        for name in ("closerequest", "autoclose exclude", "autoclose include"):
            for who in (mallory, alice):
                text = await answer(command(discord, who, ticket, name))
                assert text.startswith("Only support can do that.")
            text = await answer(command(discord, sam, discord.general, name))
            assert text == "This isn't a ticket channel. Try it in a ticket."
        text = await answer(command(discord, mallory, ticket, "autoclose status"))
        assert text.startswith("Only the member who opened this ticket")
        assert "support" in await answer(command(discord, mallory, ticket, "close"))
        assert "isn't a ticket" in await answer(command(discord, sam, discord.general, "close"))
        assert await answer(command(discord, mallory, discord.general, "timers")) == (
            "Only support can do that. If that's you, ask an admin for the support role."
        )
        for name in ("setup", "panel", "doctor"):
            for who in (mallory, alice, sam):
                assert await answer(command(discord, who, discord.general, name)) == MANAGER
        assert await rows(environment) == before
        assert "Unexpected error" not in bot.log


async def test_a_manager_points_the_bot_at_nothing_that_is_hidden_from_him(
    discord: Discord, helpdesk: Helpdesk, environment: Environment
) -> None:
    """Discord's own client doesn't offer such a channel; another one may send it."""
    async with running_bot(discord, environment) as bot:
        await helpdesk.set_up()
        role = people.add_role(discord.world, discord.guild, "Managers")
        discord.set_permissions(role, "manage_guild")
        manager = discord.add_member("mona", [role])
        hidden = discord.add_private_channel("hidden")
        room = discord.add_category("Hidden room")
        discord.deny(room, "view_channel", who=manager)
        before = await rows(environment)
        for name, option in (
            ("panel", {"channel": hidden}),
            ("setup", {"log_channel": hidden}),
            ("setup", {"category": room}),
        ):
            asked = await discord.slash(manager, discord.general, name, **option)
            assert asked.message is not None
            assert asked.message.text.startswith("You need the permission")
            assert " View Channel" in asked.message.text
        assert await rows(environment) == before
        assert not hidden.messages
        assert "Unexpected error" not in bot.log


async def test_commands_from_a_direct_message_do_nothing(
    discord: Discord, helpdesk: Helpdesk, environment: Environment
) -> None:
    async with running_bot(discord, environment) as bot:
        await helpdesk.set_up()
        private = discord.dm(discord.stranger)
        for name in ("close", "closerequest", "timers", "setup"):
            text = await answer(command(discord, discord.stranger.user, private, name))
            assert "Something went wrong" not in text, name
        assert "Unexpected error" not in bot.log
