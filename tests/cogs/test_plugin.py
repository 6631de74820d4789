"""Somebody's own bot, with the tickets loaded into it: neither disturbs the other."""

from __future__ import annotations

import logging
from typing import Any

import discord
import pytest
from discord import app_commands
from discord.ext import commands

from bot import Punctual
from domains.database import Database
from domains.errors import StartupError
from domains.scheduled_task import ScheduledTask
from domains.settings import Settings
from domains.ticket_lifecycle import TicketLifecycle
from tests.cogs.replies import refusal, reply
from tests.cogs.world import a_world


class Counter(commands.Cog, name="Setup"):
    """A cog of the host's, called as one of ours might be."""

    @app_commands.command(description="Counts")
    async def count(self, interaction: discord.Interaction[Any], upto: int) -> None:
        await interaction.response.send_message(" ".join(map(str, range(1, upto + 1))))

    @app_commands.command(description="Fails")
    async def fail(self, interaction: discord.Interaction[Any]) -> None:
        raise KeyError("of the host's own")


class HostBot(commands.Bot):
    """As README shows it, and with things of its own."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            command_prefix="!",
            intents=discord.Intents(guilds=True, guild_messages=True, message_content=True),
        )
        self.punctual = Punctual(self, settings)
        self.heard: list[str] = []
        self.tree_errors: list[app_commands.AppCommandError] = []
        self.tree.error(self.on_tree_error)

    async def setup_hook(self) -> None:
        await self.punctual.start()
        await self.tree.sync()

    async def close(self) -> None:
        async with self.punctual.closing():
            await super().close()

    # --- what the host has beside the tickets

    async def on_message(self, message: discord.Message, /) -> None:
        self.heard.append(message.content)
        await self.process_commands(message)

    async def on_tree_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError
    ) -> None:
        self.tree_errors.append(error)
        if not interaction.response.is_done():
            await interaction.response.send_message("The host is sorry.", ephemeral=True)
        else:
            await interaction.followup.send("The host is sorry.", ephemeral=True)

    # --- for the tests

    @property
    def scheduled_task(self) -> ScheduledTask:
        return self.punctual.scheduled_task

    @property
    def ticket_lifecycle(self) -> TicketLifecycle:
        return self.punctual.ticket_lifecycle


class HostTranslator(app_commands.Translator):
    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        return "Antwortet" if (string.message, locale.value) == ("Replies", "de") else None


class BusyHostBot(HostBot):
    """Has a translator, a command, a text command and a cog before the tickets come."""

    async def setup_hook(self) -> None:
        @self.tree.command(name="ping", description="Replies")
        async def ping(interaction: discord.Interaction[Any]) -> None:
            await interaction.response.send_message("pong")

        @self.tree.command(name="break", description="Fails")
        async def break_(interaction: discord.Interaction[Any]) -> None:
            raise KeyError("of the host's own")

        async def hello(context: commands.Context[Any]) -> None:
            await context.send("hello yourself")

        self.add_command(commands.Command(hello, name="hello"))
        await self.tree.set_translator(HostTranslator())
        await super().setup_hook()


class HostWithACogOfTheSameName(HostBot):
    async def setup_hook(self) -> None:
        await self.add_cog(Counter())
        await super().setup_hook()


async def test_a_host_has_tickets_from_beginning_to_end(settings: Settings) -> None:
    async with a_world(settings, HostBot(settings)) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, "Any news?", "2h")
        assert len(await world.jobs()) == 1
        await world.amy.send(channel, "Not yet!")
        assert await world.request_statuses(channel) == ["answered"]
        await world.ask_to_close(channel, "Any news?", "2h")
        await world.pass_deadline(channel)
        await world.until_closed(channel)
        assert len(world.says(world.logs)) == 1


async def test_the_hosts_own_commands_go_on_working(settings: Settings) -> None:
    async with a_world(settings, BusyHostBot(settings)) as world:
        channel = await world.open_ticket(world.amy)
        for place in (world.lobby, channel):
            result = await world.amy.slash(place, "ping")
            assert result.response is not None
            assert result.response.content == "pong"
            await world.amy.send(place, "!hello")
            assert world.says(place)[-1] == "hello yourself"
        described = {name: c for (name, _), c in world.env.backend.commands[None].items()}
        assert described["ping"]["description_localizations"] == {"de": "Antwortet"}
        assert described["close"]["description_localizations"] == {"de": "Dieses Ticket schließen"}


async def test_the_host_hears_every_message_once_and_so_do_the_tickets(
    settings: Settings,
) -> None:
    host = BusyHostBot(settings)
    async with a_world(settings, host) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        await world.amy.send(channel, "Not yet!")
        await world.amy.send(world.lobby, "Nice weather")
        assert host.heard.count("Not yet!") == 1
        assert host.heard.count("Nice weather") == 1
        assert await world.request_statuses(channel) == ["answered"]


async def test_errors_of_the_hosts_commands_are_the_hosts(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    host = BusyHostBot(settings)
    async with a_world(settings, host) as world:
        world.provoked.append(KeyError)
        assert refusal(await world.amy.slash(world.lobby, "break")) == "The host is sorry."
        (error,) = host.tree_errors
        assert isinstance(error, app_commands.CommandInvokeError)
        assert isinstance(error.original, KeyError)
        assert "Unexpected error" not in caplog.text


async def test_refusals_of_the_tickets_are_none_of_the_hosts_business(
    settings: Settings,
) -> None:
    """The host's handler would answer a second time, and count an error that is none."""
    host = BusyHostBot(settings)
    async with a_world(settings, host) as world:
        channel = await world.open_ticket(world.amy)
        texts = [
            refusal(await world.amy.slash(channel, "closerequest")),
            refusal(await world.sam.slash(world.lobby, "close")),
            refusal(await world.sam.slash(channel, "closerequest", close_delay="soon")),
        ]
        assert texts[:2] == [
            "Only support can do that. Ask them here, or use `/close` to close your own ticket.",
            "This isn't a ticket channel. Try it in a ticket.",
        ]
        assert host.tree_errors == []


async def test_a_riddle_of_the_tickets_is_answered_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = BusyHostBot(settings)
    async with a_world(settings, host) as world:
        world.provoked.append(ZeroDivisionError)
        channel = await world.open_ticket(world.amy)

        def fail(_database: Database) -> None:
            raise ZeroDivisionError

        with monkeypatch.context() as patch:
            patch.setattr(Database, "connection", fail)
            text = refusal(await world.sam.slash(channel, "autoclose status"))
        assert text.startswith("Something went wrong.")


async def test_a_host_may_have_a_cog_of_the_same_name(settings: Settings) -> None:
    host = HostWithACogOfTheSameName(settings)
    async with a_world(settings, host) as world:
        await world.open_ticket(world.amy)
        result = await world.amy.slash(world.lobby, "count", upto=3)
        assert result.response is not None
        assert result.response.content == "1 2 3"


async def test_a_host_with_a_command_of_the_same_name_is_told_so(settings: Settings) -> None:
    host = HostBot(settings)

    @host.tree.command(name="close", description="Closes the shop")
    async def close(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.send_message("Closed")

    with pytest.raises(StartupError, match=r"/close$"):
        await host.punctual.start()
    assert [command.name for command in host.tree.get_commands()] == ["close"]
    assert not host.cogs
    await host.close()


async def test_a_host_that_lets_everything_ping_pings_nobody_through_the_tickets(
    settings: Settings,
) -> None:
    async with a_world(settings, HostBot(settings)) as world:
        hostile = f"@everyone {world.eve.mention} {world.support.mention}"
        channel = await world.open_ticket(world.amy, hostile)
        await world.ask_to_close(channel, hostile, "2h")
        await world.amy.send(channel, "Not yet!")
        await world.sam.slash(channel, "close", reason=hostile)
        await world.until_closed(channel)
        for messages in world.env.backend.messages.values():
            for message in messages.values():
                if message.author_id == world.bot_id:
                    assert set(message.ping_user_ids) <= {world.amy.id}
                    assert set(message.ping_role_ids) <= {world.support.id}
                    assert not message.mention_everyone


async def test_every_message_says_itself_whom_it_may_ping(settings: Settings) -> None:
    """So that nothing is left to the host's default."""
    async with a_world(settings, HostBot(settings)) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, "done", "2h")
        await world.amy.click(message, label="Need more time")
        await world.amy.send(channel, "Not yet!")
        await world.sam.slash(channel, "autoclose exclude")
        await world.eve.slash(world.lobby, "close")
        message = await world.ask_to_close(channel, "done")
        await world.amy.click(message, label="Accept & Close")
        texts = [body for _, _, body in world.sent() if body.get("content")]
        silent = [body["content"] for body in texts if "allowed_mentions" not in body]
        assert len(texts) > 5
        assert silent == []


async def test_the_hosts_logging_is_left_alone(settings: Settings) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), logging.getLogger("discord").level)
    async with a_world(settings, HostBot(settings)) as world:
        await world.open_ticket(world.amy)
        after = (root.level, list(root.handlers), logging.getLogger("discord").level)
        assert after == before


async def test_a_host_that_was_closed_can_be_closed_again(settings: Settings) -> None:
    host = HostBot(settings)
    async with a_world(settings, host) as world:
        await world.open_ticket(world.amy)
        await world.env.settle()
        await host.close()
        assert not host.scheduled_task.available


async def test_buttons_of_a_host_work_after_a_restart(settings: Settings) -> None:
    async with a_world(settings, HostBot(settings)) as world:
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        await world.stop_bot()
        world.bot = HostBot(settings)
        await world.env.restart_bot(world.bot)
        await world.amy.click(message, label="Deny & Keep Open")
        assert await world.request_statuses(channel) == ["denied"]
        assert await world.jobs() == []


async def test_the_panels_of_a_host_answer_in_private(settings: Settings) -> None:
    async with a_world(settings, HostBot(settings)) as world:
        assert "Your ticket is open" in reply(await world.ask_for_ticket(world.amy))
