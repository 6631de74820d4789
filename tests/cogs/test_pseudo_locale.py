"""Nobody reads English whose Discord is in another language that we have."""

from __future__ import annotations

import discord
import pytest
import simcord

from domains.database import Database
from domains.settings import Settings
from tests.cogs.forgery import press
from tests.cogs.pseudo import PSEUDO, in_pseudo, plain_english, speak_pseudo
from tests.cogs.world import World, a_world
from tests.waiting import eventually

TYPED = "Ωμέγα"
MANAGE_CHANNELS = discord.Permissions(manage_channels=True)
NAMES = {
    "The guild", "Support", "Tickets", "logs", "lobby", "sam", "amy", "boss", "eve", "UTC", "ms",
    *("ticket-0001", "ticket-0002", "ticket-0003", "ticket-0004"),
    *("English", "Deutsch", "Français"),
    *("guilds", "guild_messages", "message_content"),
}  # fmt: skip
FRENCH = {"et", "lun.", "mar.", "mer.", "jeu.", "ven.", "dim.", "janv.", "févr.", "juil.", "nov."}
"""What Babel adds of its own."""


async def test_nobody_reads_english_who_reads_another_language(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    speak_pseudo(monkeypatch)
    async with a_world(settings, locale=PSEUDO) as world:
        await members_open_and_answer(world)
        await support_works(world)
        await deadlines_pass(world)
        await managers_set_it_up(world)
        await all_goes_wrong(world, monkeypatch)
        english = [
            f"{method} {path}: {said}"
            for method, path, body in world.sent()
            for said in plain_english(body, NAMES | FRENCH)
        ]
        assert not english, "\n".join(english)


async def members_open_and_answer(world: World) -> None:
    amy, sam = world.amy, world.sam
    await world.ask_for_ticket(amy, " \u200b ")
    channel = await world.open_ticket(amy, TYPED)
    await amy.slash(channel, "closerequest")
    for delay in ("soon", "3d"):
        await sam.slash(channel, "closerequest", reason=TYPED, close_delay=delay)
    for button in ("extend", "extend", "deny", "deny"):
        await answer(world, channel, button)
    for button in ("info", "ask", "close", "close_reason"):
        await press_on_card(world, amy, channel, button)
    await sam.slash(channel, "closerequest", close_delay="2h")
    await amy.send(channel, TYPED)
    await sam.slash(channel, "closerequest")
    await answer(world, channel, "accept")
    await world.until_closed(channel)


async def answer(world: World, channel: simcord.ChannelHandle, button: str) -> None:
    """Amy presses a button of the pending close request."""
    request = await world.request(channel)
    message = world.message(channel, request.message_id)
    custom_id = f"ticket:close_request:{button}:{request.id}"
    await press(world, world.amy, message, custom_id)


async def press_on_card(
    world: World, member: simcord.MemberActor, channel: simcord.ChannelHandle, button: str
) -> simcord.InteractionResult:
    """Of the ticket's first message."""
    custom_id = f"ticket:card:{button}:{(await world.ticket(channel)).id}"
    return await press(world, member, channel.history()[0], custom_id)


async def deadlines_pass(world: World) -> None:
    """With a reminder, and support that gives more time; then nobody answers."""
    amy, sam = world.amy, world.sam
    channel = await world.open_ticket(amy, TYPED)
    await sam.slash(channel, "closerequest", close_delay="2h")
    await world.pass_half(channel)
    await eventually(lambda: len(amy.user.dm_channel.history()) > 0)
    timers = (await sam.slash(world.lobby, "timers")).response
    assert timers is not None
    for label in ("Details", "Extend by 24 hours", "Cancel its timer"):
        await sam.click(timers, label=in_pseudo(label))
    await sam.slash(channel, "closerequest", close_delay="2h")
    await amy.slash(channel, "autoclose status")
    await world.pass_deadline(channel)
    await world.until_closed(channel)


async def support_works(world: World) -> None:
    amy, sam = world.amy, world.sam
    for typed in ("", "30", "soon"):
        await sam.autocomplete(world.lobby, "closerequest", "close_delay", typed)
    await sam.autocomplete(world.lobby, "block", "for", "")
    channel = await world.open_ticket(amy, TYPED)
    await sam.slash(channel, "closerequest", close_delay="1h")
    for command in ("status", "exclude", "exclude", "status", "include", "status"):
        await sam.slash(channel, f"autoclose {command}")
    await sam.slash(world.lobby, "timers")
    for button in ("info", "ask", "close", "close_reason"):
        await press_on_card(world, sam, channel, button)
    for length in ("1h", "0"):
        await sam.slash(world.lobby, "block", member=amy, reason=TYPED, **{"for": length})
    await world.ask_for_ticket(amy, TYPED)
    await sam.slash(world.lobby, "blocked")
    for _ in range(2):
        await sam.slash(world.lobby, "unblock", member=amy)
    await sam.slash(channel, "close", reason=TYPED)
    await world.until_closed(channel)


async def managers_set_it_up(world: World) -> None:
    boss, amy = world.boss, world.amy
    await boss.slash(world.lobby, "setup")
    await boss.slash(world.lobby, "setup", log_channel=world.lobby)
    await boss.slash(world.lobby, "setup", support_role=world.guild.default_role)
    await boss.slash(world.lobby, "doctor")
    await boss.slash(world.lobby, "limits")
    await boss.slash(world.lobby, "limits", cooldown="never", reset="all")
    await boss.slash(world.lobby, "limits", required_roles=world.support.mention)
    await world.ask_for_ticket(amy, TYPED)
    await boss.slash(world.lobby, "limits", reset="all")
    await boss.autocomplete(world.lobby, "limits", "cooldown", "")
    await boss.slash(world.lobby, "autoclose replies", keep_open=True)
    await boss.slash(world.lobby, "language", language="discord")
    await boss.slash(world.lobby, "forget", user_id="1")
    await boss.slash(world.lobby, "forget", user_id=str(amy.id))
    asked = await amy.slash(world.lobby, "forget-me")
    assert asked.response is not None
    await amy.click(asked.response, label=in_pseudo("Delete it for good"))
    await amy.slash(world.lobby, "export-me")


def fail(_database: Database) -> None:
    raise ZeroDivisionError


async def all_goes_wrong(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    amy, sam = world.amy, world.sam
    for command in ("timers", "blocked", "autoclose status", "close"):
        await amy.slash(world.lobby, command)
    channel = await world.open_ticket(amy, TYPED)
    world.forbid_bot(channel, MANAGE_CHANNELS)
    ticket = await world.ticket(channel)
    await sam.slash(channel, "close")
    await eventually(lambda: any(f"retry:{ticket.id}" in str(body) for *_, body in world.sent()))
    await press(world, sam, world.panel, f"ticket:close:retry:{ticket.id}")
    await sam.slash(world.lobby, "timers")
    await sam.slash(channel, "autoclose status")
    await world.boss.slash(world.lobby, "doctor")
    world.allow_bot(channel, MANAGE_CHANNELS)
    await press(world, sam, world.panel, f"ticket:close:retry:{ticket.id}")
    world.provoked.append(ZeroDivisionError)
    with monkeypatch.context() as patch:
        patch.setattr(Database, "connection", fail)
        await sam.slash(world.lobby, "timers")
