"""The stand-in for Discord does what Discord does, as far as the bot relies on it."""

from __future__ import annotations

import asyncio
import math
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import discord as dpy
import discord.gateway as dpy_gateway
import discord.http as dpy_http
import pytest
import yarl
from discord import app_commands

from cogs import gateway_probe
from cogs.gateway_probe import GatewayProbe
from tests.wire import (
    LOST,
    TOKEN,
    Call,
    Channel,
    ChannelType,
    ClientRefusalError,
    Discord,
    File,
    Moment,
    ResponseType,
    validate_answer,
    validate_body,
)
from tests.wire.change_signal import ChangeSignal

SCRIPT = """
import os, sys
import discord
import neighbour

class Bot(discord.Client):
    def __init__(self):
        super().__init__(intents=discord.Intents.default())
        self.tree = discord.app_commands.CommandTree(self)

    async def setup_hook(self):
        @self.tree.command(description="Replies")
        async def ping(interaction: discord.Interaction) -> None:
            await interaction.response.send_message(" ".join(sys.argv[1:] + [neighbour.NAME]))

        @self.tree.command(description="Closes")
        async def close(interaction: discord.Interaction) -> None:
            await interaction.response.defer()
            await interaction.channel.delete(reason="done")

        await self.tree.sync()

    async def on_ready(self):
        await discord.utils.get(self.get_all_channels(), name="general").send("ready")

Bot().run(os.environ["DISCORD_TOKEN"], log_handler=None)
"""


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    """Its own answers are held against Discord's document after every test."""
    async with Discord() as stand_in:
        yield stand_in
        assert [line for call in stand_in.requests for line in untruths(call)] == []


@pytest.fixture
async def api(discord: Discord) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession() as session:
        yield Api(discord, session)


class Api:
    """A bot without a library: for what is to be seen as it is on the wire."""

    def __init__(self, discord: Discord, session: aiohttp.ClientSession) -> None:
        self._discord = discord
        self._session = session
        self.headers = {"Authorization": f"Bot {TOKEN}"}

    async def __call__(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        request = self._session.request(
            method, self._discord.api_url + path, json=body, headers=self.headers
        )
        async with request as response:
            return response.status, await response.json() if response.status != 204 else None

    async def ids(self, path: str) -> list[int]:
        _, listed = await self("GET", path)
        return [int(each["id"]) for each in listed]

    async def fill(self, channel: Channel, count: int) -> list[int]:
        """Ids of messages, oldest first."""
        path = f"/channels/{channel.id}/messages"
        written = [await self("POST", path, {"content": str(n)}) for n in range(count)]
        return [int(message["id"]) for _, message in written]


class TinyBot(dpy.Client):
    """discord.py in the test's own loop."""

    def __init__(self, intents: dpy.Intents) -> None:
        self._changes = ChangeSignal()
        self.heard: list[dpy.Message] = []
        super().__init__(intents=intents)
        self.tree = app_commands.CommandTree(self)
        add_commands(self.tree)

    async def setup_hook(self) -> None:
        await self.tree.sync()

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Called for each event, after the bot's own state has changed with it."""
        super().dispatch(event, *args, **kwargs)
        if event == "message" and args[0].author != self.user:
            self.heard.append(args[0])
        self._changes.notify()

    async def until(self, condition: Callable[[], bool]) -> None:
        await self._changes.until(condition, within=5, waiting_for="the bot to have noticed")


class Shelf(app_commands.Group):
    @app_commands.command(description="Puts one there")
    async def put(self, interaction: dpy.Interaction, thing: str) -> None:
        await interaction.response.send_message(f"put {thing}")

    @put.autocomplete("thing")
    async def things(
        self, interaction: dpy.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=current.upper(), value=current * 2)]


class SubjectForm(dpy.ui.Modal, title="Open a ticket"):
    subject = dpy.ui.Label(text="Subject", component=dpy.ui.TextInput["SubjectForm"](max_length=10))
    note = dpy.ui.TextInput["SubjectForm"](label="Note", required=False, custom_id="note")

    async def on_submit(self, interaction: dpy.Interaction) -> None:
        assert isinstance(self.subject.component, dpy.ui.TextInput)
        await interaction.response.edit_message(
            content=f"{self.subject.component.value}/{self.note.value}", view=None
        )


class PanelView(dpy.ui.View):
    @dpy.ui.button(label="Open a ticket", custom_id="panel:open")
    async def open(self, interaction: dpy.Interaction, _: dpy.ui.Button[PanelView]) -> None:
        await interaction.response.send_modal(SubjectForm())

    @dpy.ui.button(label="Later", custom_id="panel:later")
    async def later(self, interaction: dpy.Interaction, _: dpy.ui.Button[PanelView]) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="later")
        await interaction.followup.send("noted", ephemeral=True)


def add_commands(tree: app_commands.CommandTree[TinyBot]) -> None:
    @tree.command(description="Echoes")
    async def ask(
        interaction: dpy.Interaction,
        role: dpy.Role,
        where: dpy.TextChannel,
        text: app_commands.Range[str, 1, 5],
        who: dpy.Member | None = None,
    ) -> None:
        answer = f"{role.name} {where.name} {text} {who and who.display_name}"
        await interaction.response.send_message(answer, ephemeral=True)

    @tree.command(description="Takes its time")
    async def think(interaction: dpy.Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.followup.send("first")
        file = dpy.File(BytesIO(b"thought"), filename="thought.txt")
        await interaction.followup.send("second", file=file)

    @tree.command(description="Posts the panel")
    async def panel(interaction: dpy.Interaction) -> None:
        await interaction.response.send_message("Tickets", view=PanelView(timeout=None))

    @tree.command(description="Deletes the channel it is used in")
    async def vanish(interaction: dpy.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        assert isinstance(interaction.channel, dpy.TextChannel)
        await interaction.channel.delete()
        with suppress(dpy.NotFound):
            await interaction.edit_original_response(content="gone")

    tree.add_command(Shelf(name="shelf", description="Things"))


@asynccontextmanager
async def running(
    discord: Discord, monkeypatch: pytest.MonkeyPatch, intents: dpy.Intents | None = None
) -> AsyncGenerator[TinyBot, None]:
    monkeypatch.setattr(dpy_http.Route, "BASE", discord.api_url)
    monkeypatch.setattr(
        dpy_gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(discord.gateway_url)
    )
    bot = TinyBot(intents or dpy.Intents.all())
    async with bot:
        task = asyncio.create_task(bot.start(TOKEN))
        await discord.wait_ready()
        yield bot
        await bot.close()
        await task


@pytest.fixture
async def bot(discord: Discord, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TinyBot]:
    async with running(discord, monkeypatch) as tiny:
        yield tiny


@asynccontextmanager
async def process(
    discord: Discord, directory: Path, *arguments: str
) -> AsyncGenerator[asyncio.subprocess.Process, None]:
    script = directory / "bot.py"
    script.write_text(SCRIPT)
    (directory / "neighbour.py").write_text("NAME = 'neighbour'")
    started = await asyncio.create_subprocess_exec(
        *discord.command_line(script, *arguments),
        env={**os.environ, **discord.environment, "WIRE_DISCORD_READY_SECONDS": "0.01"},
    )
    try:
        yield started
    finally:
        with suppress(ProcessLookupError):
            started.kill()
        await started.wait()


# Processes


async def test_a_bot_script_runs_unmodified_with_its_arguments_and_neighbours(
    discord: Discord, tmp_path: Path
) -> None:
    async with process(discord, tmp_path, "--loud", "pong") as started:
        answer = await discord.slash(discord.staff, discord.general, "ping")
        assert answer.content == "--loud pong neighbour"
        await discord.wait_message(discord.general, "ready")
        started.terminate()  # SIGINT is ignored by what a shell has started in the background
        await discord.wait_gone()
    assert discord.unexpected == []
    assert discord.violations == []


@pytest.mark.parametrize("moment", list(Moment))
async def test_a_process_can_be_killed_just_before_or_after_a_request_takes_effect(
    discord: Discord, tmp_path: Path, moment: Moment
) -> None:
    ticket = discord.add_channel("ticket-0001")
    async with process(discord, tmp_path) as started:

        def kill(_: Call) -> object:
            started.kill()
            return LOST

        rule = discord.on_request("DELETE", "/channels/*", kill, moment=moment)
        await discord.slash(discord.staff, discord.general, "ping")
        discord.begin_slash(discord.staff, ticket, "close")
        await discord.wait_gone()
        assert await started.wait() == -signal.SIGKILL
    assert rule.met == 1
    assert ticket.deleted is (moment is Moment.AFTER)


async def test_stopping_does_not_wait_for_a_frozen_bot(tmp_path: Path) -> None:
    async with Discord() as discord, process(discord, tmp_path) as started:
        await discord.wait_ready()
        started.send_signal(signal.SIGSTOP)
        async with asyncio.timeout(5):
            await discord.stop()


# Interactions, with discord.py on the other side


async def test_options_reach_the_bot_as_the_types_it_registered(
    discord: Discord, bot: TinyBot
) -> None:
    answer = await discord.slash(
        discord.staff,
        discord.general,
        "ask",
        role=discord.support_role,
        where=discord.general,
        text="why",
        who=discord.customer,
    )
    assert answer.content == "Support general why Alice"
    assert answer.ephemeral
    assert answer.response is not None
    assert answer.response.type is ResponseType.MESSAGE
    assert answer.response.seconds > 0


async def test_the_client_refuses_what_a_command_does_not_take(
    discord: Discord, bot: TinyBot
) -> None:
    values = {"role": discord.support_role, "where": discord.general, "text": "why"}
    for wrong in (
        {"text": "too long"},
        {"text": 5},
        {"role": discord.customer},
        {"where": discord.add_category("Tickets")},
        {"nothing": "here"},
    ):
        with pytest.raises(ClientRefusalError):
            await discord.slash(discord.staff, discord.general, "ask", **{**values, **wrong})
    with pytest.raises(ClientRefusalError, match="role is required"):
        await discord.slash(discord.staff, discord.general, "ask", where=discord.general, text="a")


async def test_a_deferred_answer_is_filled_in_by_the_first_follow_up(
    discord: Discord, bot: TinyBot
) -> None:
    answer = await discord.slash(discord.staff, discord.general, "think")
    second = await answer.replied(2)
    assert answer.response is not None
    assert answer.response.type is ResponseType.DEFERRED_MESSAGE
    assert answer.deferred
    assert [reply.content for reply in answer.replies] == ["first", "second"]
    assert answer.replies[0].ephemeral
    assert not second.ephemeral
    assert second.attachments[0].content == b"thought"
    assert list(discord.general.messages.values()) == [second]


async def test_an_answer_goes_with_its_channel(discord: Discord, bot: TinyBot) -> None:
    ticket = discord.add_channel("ticket-0001")
    answer = await discord.slash(discord.staff, ticket, "vanish")
    assert ticket.deleted
    assert answer.deferred and answer.content == ""
    edit = await discord.wait_request("PATCH", "/webhooks/*/*/messages/@original")
    assert edit.answer["code"] == 10008


async def test_a_subcommand_is_found_by_its_path_and_completes_its_option(
    discord: Discord, bot: TinyBot
) -> None:
    answer = await discord.slash(discord.staff, discord.general, "shelf put", thing="book")
    assert answer.content == "put book"
    choices = await discord.autocomplete(discord.staff, discord.general, "shelf put", thing="bo")
    assert [(choice.name, choice.value) for choice in choices] == [("BO", "bobo")]
    with pytest.raises(ClientRefusalError):
        await discord.slash(discord.staff, discord.general, "shelf take", thing="book")


async def test_a_form_opened_by_a_button_is_filled_in_by_label_or_custom_id(
    discord: Discord, bot: TinyBot
) -> None:
    posted = (await discord.slash(discord.owner, discord.general, "panel")).message
    assert posted is not None
    opened = await discord.click(discord.customer, posted, "Open a ticket")
    assert opened.modal is not None
    with pytest.raises(ClientRefusalError, match="Subject"):
        await discord.submit_modal(discord.customer, opened, {"Subject": "x" * 11})
    answers = {"Subject": "Refund", "note": "soon"}
    submitted = await discord.submit_modal(discord.customer, opened, answers)
    assert submitted.response is not None
    assert submitted.response.type is ResponseType.UPDATE
    assert posted.content == "Refund/soon"
    with pytest.raises(ClientRefusalError, match="no button"):
        await discord.click(discord.customer, posted, "panel:open")


async def test_an_update_may_be_deferred_and_followed_by_a_private_reply(
    discord: Discord, bot: TinyBot
) -> None:
    posted = (await discord.slash(discord.owner, discord.general, "panel")).message
    assert posted is not None
    clicked = await discord.click(discord.customer, posted, "panel:later")
    private = await clicked.replied()
    assert (posted.content, private.content, private.ephemeral) == ("later", "noted", True)
    assert discord.violations == []
    assert discord.unexpected == []


async def test_nobody_acts_where_they_cannot_see(discord: Discord) -> None:
    secret = discord.add_channel("secret")
    discord.deny(secret, "view_channel", who=discord.guild.everyone)
    with pytest.raises(ClientRefusalError, match="VIEW_CHANNEL"):
        await discord.say(discord.stranger, secret, "hello?")
    discord.allow(secret, "view_channel", who=discord.support_role)
    await discord.say(discord.staff, secret, "hello")
    assert discord.can_see(discord.staff, secret)
    assert not discord.can_see(discord.stranger, secret)


async def test_an_interaction_is_answered_once_and_within_its_deadline(
    discord: Discord, api: Api
) -> None:
    await api("PUT", f"/applications/{discord.bot.id}/commands", [{"name": "ping"}])
    interaction = discord.begin_slash(discord.staff, discord.general, "ping")
    callback = f"/interactions/{interaction.id}/{interaction.token}/callback"
    answer = {"type": 4, "data": {"content": "pong"}}
    assert await api("POST", callback, answer) == (204, None)
    assert (await api("POST", callback, answer))[1]["code"] == 40060
    interaction.expired = True
    reply = f"/webhooks/{discord.bot.id}/{interaction.token}/messages/@original"
    assert (await api("GET", reply))[1]["code"] == 50027
    discord.world.answer_within_seconds = 0
    late = discord.begin_slash(discord.staff, discord.general, "ping")
    assert (await api("POST", f"/interactions/{late.id}/{late.token}/callback", answer))[1][
        "code"
    ] == 10062


# The gateway


async def test_a_dropped_connection_is_resumed_and_misses_nothing(
    discord: Discord, bot: TinyBot
) -> None:
    await discord.drop_connections()
    await discord.say(discord.customer, discord.general, "while you were away")
    await discord.wait_ready()
    await discord.say(discord.customer, discord.general, "welcome back")
    await bot.until(lambda: len(bot.heard) == 2)
    assert [message.content for message in bot.heard] == ["while you were away", "welcome back"]
    assert discord.gateway.resumed == 1


async def test_a_bot_asked_to_reconnect_resumes(discord: Discord, bot: TinyBot) -> None:
    await discord.ask_to_reconnect()
    await discord.until(lambda: discord.gateway.resumed == 1, "a resume")


async def test_the_api_comes_back_on_the_same_port_after_an_outage(
    discord: Discord, api: Api
) -> None:
    await discord.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await api("GET", "/users/@me")
    await discord.start()
    assert (await api("GET", "/users/@me"))[0] == 200


async def test_a_lost_session_cannot_be_resumed(discord: Discord) -> None:
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(discord.gateway_url)
        assert (await socket.receive_json())["op"] == 10
        await socket.send_json({"op": 2, "d": {"token": TOKEN, "intents": 0}})
        ready = await socket.receive_json()
        await discord.drop_connections(resume=False)
        again = await session.ws_connect(ready["d"]["resume_gateway_url"])
        await again.receive_json()
        resume = {"token": TOKEN, "session_id": ready["d"]["session_id"], "seq": ready["s"]}
        await again.send_json({"op": 6, "d": resume})
        assert await again.receive_json() == {"op": 9, "d": False}
        await again.send_json({"op": 2, "d": {"token": TOKEN, "intents": 0}})
        assert (await again.receive_json())["t"] == "READY"
        await discord.invalidate_sessions()
        assert (await again.receive_json())["t"] == "GUILD_CREATE"
        assert await again.receive_json() == {"op": 9, "d": False}


async def test_a_wrong_token_and_disallowed_intents_close_the_connection(discord: Discord) -> None:
    discord.gateway.disallowed_intents = dpy.Intents(message_content=True).value
    async with aiohttp.ClientSession() as session:
        for token, intents, code in (("wrong", 0, 4004), (TOKEN, dpy.Intents.all().value, 4014)):
            socket = await session.ws_connect(discord.gateway_url)
            await socket.receive_json()
            await socket.send_json({"op": 2, "d": {"token": token, "intents": intents}})
            assert (await socket.receive()).data == code
            await socket.close()


async def test_every_change_of_the_world_is_told(discord: Discord, bot: TinyBot) -> None:
    ticket = discord.add_channel("ticket-0001")
    newcomer = discord.add_member("nora")
    discord.set_roles(newcomer, discord.support_role)
    message = await discord.say(discord.customer, ticket, "first")
    await discord.edit_message(message, "second")
    guild = bot.guilds[0]
    await bot.until(
        lambda: bool(bot.cached_messages) and bot.cached_messages[-1].content == "second"
    )
    member = guild.get_member(newcomer.id)
    assert member is not None
    assert [role.name for role in member.roles] == ["@everyone", "Support"]
    discord.deny(ticket, "manage_channels")
    cached = guild.get_channel(ticket.id)
    assert cached is not None
    await bot.until(lambda: not cached.permissions_for(guild.me).manage_channels)
    discord.remove_member(newcomer)
    discord.delete_channel(ticket)
    await bot.until(lambda: guild.get_channel(ticket.id) is None)
    assert guild.get_member(newcomer.id) is None
    discord.add_guild("Elsewhere")
    await bot.until(lambda: len(bot.guilds) == 2)
    discord.remove_member(discord.bot)
    await bot.until(lambda: len(bot.guilds) == 1)
    with pytest.raises(dpy.Forbidden):
        await bot.fetch_channel(discord.general.id)


async def test_content_is_hidden_without_its_intent(
    discord: Discord, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(discord, monkeypatch, dpy.Intents.default()) as bot:
        await discord.say(discord.customer, discord.general, "secret")
        await discord.say(discord.customer, discord.general, f"hey {discord.bot.mention}")
        await bot.until(lambda: len(bot.heard) == 2)
        channel = bot.get_channel(discord.general.id)
        assert isinstance(channel, dpy.TextChannel)
        fetched = [message.content async for message in channel.history(oldest_first=True)]
    assert [message.content for message in bot.heard] == ["", f"hey {discord.bot.mention}"]
    assert fetched == ["", f"hey {discord.bot.mention}"]


async def test_members_can_be_asked_for(discord: Discord, bot: TinyBot) -> None:
    guild = bot.guilds[0]
    found = await guild.query_members(query="ali")
    assert [member.id for member in found] == [discord.customer.id]
    assert (await guild.fetch_member(discord.staff.id)).name == "sam"
    with pytest.raises(dpy.NotFound):
        await guild.fetch_member(1)


async def test_the_probe_tells_that_all_was_heard_which_was_said_before(
    discord: Discord, bot: TinyBot
) -> None:
    probe = GatewayProbe(bot)
    for count in range(1, 4):
        await discord.say(discord.customer, discord.general, "not yet")
        assert await probe.is_current()
        await bot.until(lambda count=count: len(bot.heard) == count)


async def test_while_discord_acknowledges_nothing_the_probe_fails_and_those_who_ask_share_it(
    discord: Discord, bot: TinyBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_probe, "ACK_TIMEOUT_S", 0.1)
    probe = GatewayProbe(bot)
    with discord.gateway.silent():
        await discord.say(discord.customer, discord.general, "not yet")
        assert not any(await asyncio.gather(*(probe.is_current() for _ in range(100))))
        assert bot.heard == []
    monkeypatch.undo()
    assert all(await asyncio.gather(*(probe.is_current() for _ in range(100))))
    assert [message.content for message in bot.heard] == ["not yet"]


async def test_the_probe_sends_no_more_than_discord_takes(
    discord: Discord, bot: TinyBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the last acknowledgement is good enough, as long as it is recent."""
    monkeypatch.setattr(gateway_probe, "MAX_A_MINUTE", 1)
    probe = GatewayProbe(bot)
    assert await probe.is_current()
    with discord.gateway.silent():
        assert await probe.is_current()
        monkeypatch.setattr(gateway_probe, "RECENT_S", 0.0)
        assert not await probe.is_current()


async def test_without_a_connection_nothing_is_current(discord: Discord, bot: TinyBot) -> None:
    probe = GatewayProbe(bot)
    assert await probe.is_current()
    await bot.close()
    assert not await probe.is_current()


# Faults


async def test_a_429_is_retried(discord: Discord, bot: TinyBot) -> None:
    channel = bot.get_partial_messageable(discord.general.id)
    fault = discord.faults.add("POST", "/channels/*/messages", status=429, retry_after=0, times=2)
    await channel.send("at last")
    assert fault.met == 2
    statuses = [call.status for call in discord.requests_to("POST", "/channels/*/messages")]
    assert statuses == [429, 429, 200]


async def test_errors_are_answered_with_their_code_and_have_no_effect(
    discord: Discord, api: Api
) -> None:
    seen: list[str] = []
    discord.faults.add(
        "DELETE",
        "/channels/{id}",
        status=403,
        code=50013,
        after=lambda call: seen.append(str(call)),
    )
    path = f"/channels/{discord.general.id}"
    assert await api("DELETE", path) == (403, {"message": "Forbidden", "code": 50013})
    assert not discord.general.deleted
    assert seen == [f"DELETE {path} -> no answer"]
    assert (await api("DELETE", path))[0] == 200
    assert discord.general.deleted
    assert (await api("DELETE", path))[1]["code"] == 10003


@pytest.mark.parametrize("took_effect", [False, True])
async def test_an_answer_can_be_lost_with_or_without_the_change(
    discord: Discord, api: Api, took_effect: bool
) -> None:
    if took_effect:
        discord.on_request("POST", "/channels/*/messages", lambda _: LOST)
    else:
        discord.faults.add("POST", "/channels/*/messages", lost=True)
    with pytest.raises(aiohttp.ClientError):
        await api("POST", f"/channels/{discord.general.id}/messages", {"content": "?"})
    assert len(discord.general.messages) == took_effect
    assert discord.requests[-1].status is None


async def test_a_hanging_request_keeps_nobody_from_stopping(discord: Discord, api: Api) -> None:
    discord.faults.add("GET", "/users/@me", hang=math.inf)
    hanging = asyncio.create_task(api("GET", "/users/@me"))
    await discord.until(lambda: discord.requests, "the request")
    await discord.stop()
    with pytest.raises(aiohttp.ClientError):
        await hanging


async def test_what_is_not_modelled_is_answered_501_and_written_down(
    discord: Discord, api: Api
) -> None:
    assert (await api("GET", "/guilds/1/audit-logs"))[0] == 501
    assert discord.unexpected == ["GET /guilds/1/audit-logs"]


async def test_everything_that_can_be_read_reads_as_discord_documents_it(
    discord: Discord, api: Api
) -> None:
    """The fixture looks at the answers."""
    await discord.say(discord.customer, discord.general, "hello", [File("a.png", b"png")])
    guild, general = f"/guilds/{discord.guild.id}", f"/channels/{discord.general.id}"
    _, thread = await api("POST", f"{general}/threads", {"name": "Ticket 1", "type": 12})
    await api("PUT", f"/channels/{thread['id']}/thread-members/{discord.customer.id}")
    await api("POST", "/users/@me/channels", {"recipient_id": discord.customer.id})
    for path in (
        "/gateway",
        "/gateway/bot",
        "/applications/@me",
        "/oauth2/applications/@me",
        "/users/@me",
        "/users/@me/guilds",
        f"/users/{discord.customer.id}",
        guild,
        f"{guild}/channels",
        f"{guild}/roles",
        f"{guild}/members?limit=10",
        f"{guild}/members/{discord.customer.id}",
        f"{guild}/threads/active",
        general,
        f"{general}/messages",
        f"/channels/{thread['id']}",
        f"/channels/{thread['id']}/thread-members",
        f"/channels/{discord.dm(discord.customer).id}",
        f"/applications/{discord.bot.id}/commands",
    ):
        assert (await api("GET", path))[0] == 200, path
    assert (await api("POST", f"{general}/typing"))[0] == 204


async def test_a_wrong_token_is_refused(discord: Discord, api: Api) -> None:
    api.headers["Authorization"] = "Bot wrong"
    assert (await api("GET", "/users/@me"))[0] == 401


# Messages


async def test_history_is_listed_newest_first_and_after_takes_the_next_ones(
    discord: Discord, api: Api
) -> None:
    ids = await api.fill(discord.general, 6)
    path = f"/channels/{discord.general.id}/messages"
    assert await api.ids(path) == ids[::-1]
    assert await api.ids(f"{path}?limit=2") == [ids[5], ids[4]]
    assert await api.ids(f"{path}?before={ids[3]}&limit=2") == [ids[2], ids[1]]
    assert await api.ids(f"{path}?after={ids[1]}&limit=2") == [ids[3], ids[2]]
    assert await api.ids(f"{path}?around={ids[2]}&limit=3") == [ids[3], ids[2], ids[1]]
    assert (await api("GET", f"{path}?limit=101"))[1]["code"] == 50035


async def test_discord_py_reads_a_long_history_in_either_order(
    discord: Discord, api: Api, bot: TinyBot
) -> None:
    ids = await api.fill(discord.general, 120)
    channel = bot.get_partial_messageable(discord.general.id)
    oldest_first = [each.id async for each in channel.history(limit=None, oldest_first=True)]
    newest_first = [each.id async for each in channel.history(limit=None)]
    later = [each.id async for each in channel.history(after=dpy.Object(ids[9]), limit=None)]
    assert (oldest_first, newest_first, later) == (ids, ids[::-1], ids[10:])


async def test_an_enforced_nonce_is_sent_once(discord: Discord, api: Api, bot: TinyBot) -> None:
    channel = bot.get_partial_messageable(discord.general.id)
    first = await channel.send("once", nonce="close-1")
    assert await channel.send("once", nonce="close-1") == first
    assert len(discord.general.messages) == 1
    await first.delete()
    with pytest.raises(dpy.NotFound):
        await channel.send("once", nonce="close-1")


async def test_attachments_are_downloadable_until_their_channel_is_gone(
    discord: Discord, bot: TinyBot
) -> None:
    ticket = discord.add_channel("ticket-0001")
    said = await discord.say(discord.customer, ticket, attachments=[File("a b.txt", b"\x00hi")])
    await bot.until(lambda: len(bot.heard) == 1)
    heard = bot.heard[0].attachments[0]
    assert (heard.filename, heard.size, heard.content_type) == ("a b.txt", 3, "text/plain")
    assert await heard.read() == b"\x00hi"

    channel = bot.get_partial_messageable(ticket.id)
    page = dpy.File(BytesIO(b"<p>"), filename="transcript.html", description="all of it")
    sent = await channel.send("here", file=page)
    kept = ticket.messages[sent.id].attachments[0]
    assert (kept.content_type, kept.description) == ("text/html", "all of it")
    assert kept.content == b"<p>"
    await sent.edit(attachments=[sent.attachments[0], dpy.File(BytesIO(b"2"), filename="two.py")])
    assert [each.filename for each in ticket.messages[sent.id].attachments] == [
        "transcript.html",
        "two.py",
    ]
    await sent.edit(attachments=[])
    assert ticket.messages[sent.id].attachments == []

    discord.delete_channel(ticket)
    assert said.deleted
    with pytest.raises(dpy.NotFound):
        await heard.read()
    assert discord.violations == []


async def test_a_message_pings_whom_allowed_mentions_allows(discord: Discord, bot: TinyBot) -> None:
    channel = bot.get_partial_messageable(discord.general.id)
    text = f"{discord.customer.mention} {discord.staff.mention} @everyone"
    await channel.send(text)
    assert pinged(discord.general) == ([discord.customer.user, discord.staff.user], True)
    only_the_customer = dpy.AllowedMentions(
        everyone=False, roles=False, users=[dpy.Object(discord.customer.id)]
    )
    await channel.send(text, allowed_mentions=only_the_customer)
    assert pinged(discord.general) == ([discord.customer.user], False)
    await channel.send(text, allowed_mentions=dpy.AllowedMentions.none())
    assert pinged(discord.general) == ([], False)


async def test_discord_refuses_messages_that_are_too_long_or_empty(
    discord: Discord, api: Api
) -> None:
    path = f"/channels/{discord.general.id}/messages"
    twice = {"type": 2, "style": 1, "label": "Yes", "custom_id": "yes"}
    for body, code in (
        ({"content": "x" * 2001}, 50035),
        ({"content": ""}, 50006),
        ({"embeds": [{"description": "x" * 3001}] * 2}, 50035),
        ({"content": "x", "components": [{"type": 1, "components": [twice, twice]}]}, 50035),
        ({"content": "x", "message_reference": {"message_id": "1"}}, 50035),
    ):
        status, answer = await api("POST", path, body)
        assert (status, answer["code"]) == (400, code)


async def test_a_direct_message_can_be_refused(discord: Discord, bot: TinyBot) -> None:
    customer = await bot.fetch_user(discord.customer.id)
    await customer.send("your transcript")
    assert [each.content for each in discord.dm(discord.customer).messages.values()] == [
        "your transcript"
    ]
    await discord.say(discord.customer, discord.dm(discord.customer), "thanks")
    await bot.until(lambda: len(bot.heard) == 1)
    assert isinstance(bot.heard[0].channel, dpy.DMChannel)
    discord.close_dms(discord.customer)
    with pytest.raises(dpy.Forbidden) as refused:
        await customer.send("again")
    assert refused.value.code == 50007


# Channels and permissions


async def test_a_missing_permission_is_refused_as_discord_refuses_it(
    discord: Discord, bot: TinyBot
) -> None:
    channel = await bot.fetch_channel(discord.general.id)
    assert isinstance(channel, dpy.TextChannel)
    discord.deny(discord.general, "manage_channels")
    with pytest.raises(dpy.Forbidden) as refused:
        await channel.delete(reason="closing")
    assert refused.value.code == 50013
    assert discord.requests[-1].reason == "closing"
    discord.deny(discord.general, "view_channel")
    with pytest.raises(dpy.Forbidden) as refused:
        await channel.send("hello?")
    assert refused.value.code == 50001
    discord.allow(discord.general, "view_channel", "manage_channels")
    await channel.delete()
    assert discord.general.deleted


async def test_a_private_channel_is_seen_by_those_it_names(discord: Discord, bot: TinyBot) -> None:
    guild = bot.guilds[0]
    customer = guild.get_member(discord.customer.id)
    assert customer is not None
    seen, unseen = (
        dpy.PermissionOverwrite(view_channel=True),
        dpy.PermissionOverwrite(view_channel=False),
    )
    category = await guild.create_category("Tickets")
    created = await guild.create_text_channel(
        "Ticket 0001",
        category=category,
        overwrites={guild.default_role: unseen, customer: seen, guild.me: seen},
    )
    ticket = await discord.wait_channel("ticket-0001")
    assert discord.can_see(discord.customer, ticket)
    assert not discord.can_see(discord.stranger, ticket)
    await created.edit(topic="Refund", name="closed-0001")
    assert (ticket.topic, ticket.name) == ("Refund", "closed-0001")
    await created.set_permissions(customer, overwrite=None)
    assert not discord.can_see(discord.customer, ticket)
    assert discord.violations == []


async def test_a_full_category_and_a_full_guild_are_refused_differently(
    discord: Discord, api: Api
) -> None:
    category = discord.add_category("Tickets")
    for number in range(50):
        discord.add_channel(f"ticket-{number}", category=category)
    path = f"/guilds/{discord.guild.id}/channels"
    status, answer = await api("POST", path, {"name": "one-more", "parent_id": str(category.id)})
    assert (status, answer["code"]) == (400, 50035)
    assert answer["errors"]["parent_id"]["_errors"][0]["code"] == "CHANNEL_PARENT_MAX_CHANNELS"
    for number in range(500 - len(discord.world.channels)):
        discord.add_channel(f"filler-{number}")
    status, answer = await api("POST", path, {"name": "one-more"})
    assert (status, answer["code"]) == (400, 30013)


async def test_a_locked_and_archived_thread_takes_no_more(discord: Discord, bot: TinyBot) -> None:
    general = bot.get_channel(discord.general.id)
    assert isinstance(general, dpy.TextChannel)
    thread = await general.create_thread(name="Ticket 1", type=dpy.ChannelType.private_thread)
    await thread.add_user(dpy.Object(discord.customer.id))
    kept = discord.channel_named("Ticket 1")
    assert kept is not None and kept.type is ChannelType.PRIVATE_THREAD
    assert not discord.can_see(discord.stranger, kept)
    message = await thread.send("closing")
    await thread.edit(locked=True, archived=True)
    for attempt in (thread.send("more"), message.edit(content="x"), thread.edit(archived=True)):
        with pytest.raises(dpy.HTTPException) as refused:
            await attempt
        assert refused.value.code == 50083
    assert discord.violations == []


# Discord's own document


class TestDocument:
    async def test_a_bad_body_is_a_violation(self, discord: Discord, api: Api) -> None:
        button = {"type": 2, "style": 1, "label": "x" * 81, "custom_id": "a"}
        body = {"content": "x", "components": [{"type": 1, "components": [button]}]}
        await api("POST", f"/channels/{discord.general.id}/messages", body)
        [violation] = discord.violations
        assert violation.startswith(
            "POST /channels/{channel_id}/messages: $.components[0].components[0].label: "
        )

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("PATCH", "/channels/1", {"topic": "x" * 5000}),
            ("PATCH", "/channels/1", {"locked": "perhaps"}),
            ("POST", "/channels/1/messages", None),
            ("POST", "/channels/1/messages", {"nonce": "1" * 26}),
            ("POST", "/guilds/1/channels", {"name": "x", "parent_id": "none"}),
            ("PUT", "/applications/1/commands", [{"name": "a" * 33}]),
            ("POST", "/interactions/1/token/callback", {"type": 4, "data": {"flags": "many"}}),
            ("DELETE", "/channels/1", {"why": "so"}),
            ("POST", "/channels/1/nonsense", {}),
        ],
    )
    def test_what_discord_would_refuse(self, method: str, path: str, body: object) -> None:
        assert len(validate_body(method, path, body)) == 1

    def test_a_complaint_names_the_operation_the_place_and_what_was_meant(self) -> None:
        reply = "/webhooks/1/token/messages/@original"
        assert validate_body("PATCH", reply, {"content": 5}) == [
            "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/@original: "
            "$.content: 5 is not of type 'string', 'null'"
        ]
        [complaint] = validate_body("PATCH", "/channels/1", {"parent_id": "none"})
        assert "$.parent_id: 'none' does not match" in complaint

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("PATCH", "/channels/1", {"locked": True, "archived": True}),
            ("POST", "/users/@me/channels", {"recipient_id": 1}),
            ("PUT", "/channels/1/permissions/2", {"type": 1, "allow": "1024", "deny": "0"}),
            ("POST", "/channels/1/messages", {"nonce": "1", "flags": 4, "embeds": None}),
            ("PATCH", "/webhooks/1/token/messages/@original", {"content": None}),
            ("DELETE", "/channels/1", None),
        ],
    )
    def test_what_discord_takes(self, method: str, path: str, body: object) -> None:
        assert validate_body(method, path, body) == []


def untruths(call: Call) -> list[str]:
    """Errors are left out: Discord documents their inner codes as numbers, but sends names."""
    if call.status not in (200, 201, 204):
        return []
    return validate_answer(call.method, call.path, call.status, call.answer)


def pinged(channel: Channel) -> tuple[list[object], bool]:
    message = channel.last_message
    assert message is not None
    return list(message.pings.users), message.pings.everyone
