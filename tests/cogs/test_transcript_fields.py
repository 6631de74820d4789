"""Every field of a message is kept in the transcript, or left out for a reason.

A field that a new version of discord.py adds is in neither list, and fails here until somebody has
decided about it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import discord
import pytest
from discord import components

from cogs.transcript_messages import UNREADABLE, transcript_message
from domains.settings import Settings
from domains.transcripts import TranscriptStore
from tests.cogs.world import World, a_world
from tests.transcripts.samples import HEADER, always
from tests.wire.json_types import JsonObject

AT, LATER = "2026-08-26T18:04:00+00:00", "2027-03-05T09:10:00+00:00"
READABLE_LATER = "5 March 2027, 09:10 UTC"
CDN = "https://cdn.simcord.invalid/kept"
PERSON: JsonObject = {
    "id": "9001",
    "username": "ann",
    "global_name": "Ann Author",
    "discriminator": "0",
    "avatar": None,
}
BASE: JsonObject = {
    "id": "1100000000000000001",
    "type": 0,
    "content": "",
    "author": PERSON,
    "timestamp": AT,
    "edited_timestamp": None,
    "tts": False,
    "mention_everyone": False,
    "mentions": [],
    "mention_roles": [],
    "attachments": [],
    "embeds": [],
    "components": [],
    "pinned": False,
}
FILE: JsonObject = {
    "id": "1100000000000000002",
    "filename": "a-file.txt",
    "title": "The title",
    "description": "The description",
    "size": 2048,
    "content_type": "text/plain",
    "url": f"{CDN}/a-file.txt",
    "proxy_url": f"{CDN}/a-file.txt",
}
STICKER: JsonObject = {"id": "1100000000000000003", "name": "A wave", "format_type": 1}
EMBED: JsonObject = {
    "type": "rich",
    "title": "The title",
    "url": "https://a.example/the-url",
    "description": "The description",
    "timestamp": LATER,
    "color": 1,
    "footer": {"text": "The footer", "icon_url": "https://a.example/icon"},
    "image": {"url": "https://a.example/the-image.png", "proxy_url": f"{CDN}/image"},
    "thumbnail": {"url": "https://a.example/the-thumbnail.png", "proxy_url": f"{CDN}/thumbnail"},
    "video": {"url": "https://a.example/the-video"},
    "provider": {"name": "The provider"},
    "author": {"name": "The author", "url": "https://a.example/the-author"},
    "fields": [{"name": "The name", "value": "The value", "inline": False}],
}


def names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def media(name: str) -> JsonObject:
    return {"url": f"https://a.example/{name}", "proxy_url": f"{CDN}/{name}"}


COMPONENTS: list[JsonObject] = [
    {"type": 10, "id": 1, "content": "A text display"},
    {
        "type": 17,
        "id": 2,
        "accent_color": 255,
        "components": [
            {
                "type": 9,
                "id": 3,
                "components": [{"type": 10, "id": 4, "content": "A section"}],
                "accessory": {"type": 11, "id": 5, "media": media("a-thumbnail.png")},
            },
            {
                "type": 12,
                "id": 6,
                "items": [{"media": media("in-a-gallery.png"), "description": "What it shows"}],
            },
            {"type": 13, "id": 7, "file": media("a-document.pdf"), "name": "a.pdf", "size": 5},
            {"type": 14, "id": 8, "divider": True, "spacing": 1},
        ],
    },
    {
        "type": 1,
        "id": 9,
        "components": [
            {"type": 2, "id": 10, "style": 5, "label": "A button", "url": "https://a.example/b"},
        ],
    },
    {
        "type": 1,
        "id": 11,
        "components": [
            {
                "type": 3,
                "id": 12,
                "custom_id": "menu",
                "placeholder": "A menu",
                "options": [{"label": "An option", "value": "1"}],
            }
        ],
    },
]
COMPONENT_TEXTS = [
    "A text display", "A section", "a-thumbnail.png", "in-a-gallery.png", "What it shows",
    "a-document.pdf", "A button", "A menu</bdi>: <small><bdi>An option", "separator line",
    "colour-0000ff",
]  # fmt: skip
EMBED_TEXTS = [
    "The title", "The description", "The footer", "The provider", "The author", "The name",
    "The value", "the-image.png", "the-thumbnail.png", "the-video", READABLE_LATER, "colour-000001",
]  # fmt: skip
SNAPSHOT: JsonObject = {
    "type": 0,
    "content": "What was forwarded",
    "timestamp": LATER,
    "edited_timestamp": "2027-04-05T09:10:00+00:00",
    "flags": 0,
    "mentions": [],
    "attachments": [FILE],
    "embeds": [EMBED],
    "sticker_items": [STICKER],
    "components": COMPONENTS,
}
POLL: JsonObject = {
    "question": {"text": "The question"},
    "answers": [{"answer_id": 1, "poll_media": {"text": "An answer", "emoji": {"name": "👍"}}}],
    "expiry": LATER,
    "allow_multiselect": False,
    "layout_type": 1,
    "results": {
        "is_finalized": False,
        "answer_counts": [{"id": 1, "count": 7, "me_voted": False}],
    },
}

MESSAGE_KEPT: dict[str, tuple[JsonObject, list[str]]] = {
    "id": ({}, ['id="m1100000000000000001"']),
    "author": ({}, ["Ann Author"]),
    "content": ({"content": "What was said"}, ["What was said"]),
    "type": ({"type": 6}, ["ann pinned a message to this channel."]),
    "channel": ({}, []),  # a thread is named: shown by its own test
    "_edited_timestamp": ({"edited_timestamp": LATER}, ["(edited ", READABLE_LATER]),
    "attachments": ({"attachments": [FILE]}, ["a-file.txt", "The title · The description"]),
    "stickers": ({"sticker_items": [STICKER]}, ["A_wave.png", "Sticker: A wave"]),
    "embeds": ({"embeds": [EMBED]}, EMBED_TEXTS),
    "components": ({"components": COMPONENTS}, COMPONENT_TEXTS),
    "poll": ({"poll": POLL}, ["The question", "👍 An answer", "7 votes", READABLE_LATER]),
    "message_snapshots": (
        {"message_snapshots": [{"message": SNAPSHOT}]},
        [
            "What was forwarded",
            READABLE_LATER,
            "5 April 2027",
            "a-file.txt",
            "Sticker: A wave",
            *EMBED_TEXTS,
            *COMPONENT_TEXTS,
        ],
    ),
    "reactions": (
        {"reactions": [{"emoji": {"id": None, "name": "🎉"}, "count": 3, "me": False}]},
        ["🎉", "3"],
    ),
    "reference": (
        {"message_reference": {"message_id": "5", "channel_id": "6"}},
        ["a message that is not in this transcript"],
    ),
    "mentions": (
        {"content": "<@9001>", "mentions": [PERSON]},
        ["@Ann Author"],
    ),
    "role_mentions": ({}, []),  # these two name what the server has: shown by their own test
    "_cs_channel_mentions": ({}, []),
    "pinned": ({"pinned": True}, ["Pinned"]),
    "tts": ({"tts": True}, ["Read aloud"]),
    "webhook_id": ({"webhook_id": "77"}, ["Sent through a webhook"]),
    "application": (
        {"application": {"id": "5", "name": "Chess", "description": "", "icon": None}},
        ["From the app Chess"],
    ),
    "activity": ({"activity": {"type": 1}}, ["Invites to an activity"]),
    "interaction_metadata": (
        {"interaction_metadata": {"id": "5", "type": 2, "user": PERSON}},
        ["Answer to a command or button of @Ann Author"],
    ),
    "_thread": (
        {
            "thread": {
                "id": "1100000000000000001",
                "type": 11,
                "name": "Serial numbers",
                "owner_id": "9001",
                "message_count": 0,
                "member_count": 1,
                "thread_metadata": {
                    "archived": False,
                    "auto_archive_duration": 60,
                    "archive_timestamp": AT,
                    "locked": False,
                },
            }
        },
        ["The thread Serial numbers begins here"],
    ),
}
"""What a message has, and what the page then shows."""

CACHED = "worked out from other fields"
MESSAGE_LEFT_OUT = {
    "_state": "discord.py's own",
    "guild": "named at the top of the page",
    "_cs_guild": CACHED,
    "_cs_raw_mentions": CACHED,
    "_cs_clean_content": CACHED,
    "_cs_raw_channel_mentions": CACHED,
    "_cs_raw_role_mentions": CACHED,
    "_cs_system_content": CACHED,
    "nonce": "of the client that sent it; nobody sees it",
    "mention_everyone": "the text says @everyone",
    "flags": "how it was delivered; what they hide is not hidden from a record",
    "_interaction": "deprecated; the same as interaction_metadata",
    "role_subscription": "in the system message's text",
    "purchase_notification": "in the system message's text",
    "call": "there are no calls in a server",
    "application_id": "a number; the application is named",
    "position": "the order of the page",
    "_pinned_at": "that it is pinned is kept; discord.py knows the time only in a list of pins",
}
PARTS: dict[type[object], tuple[frozenset[str], dict[str, str]]] = {
    discord.MessageSnapshot: (
        names(
            "content created_at _edited_timestamp embeds attachments stickers "
            "components _cs_raw_mentions _cs_raw_channel_mentions "
            "_cs_raw_role_mentions"
        ),
        {
            "type": "Discord forwards ordinary messages only",
            "flags": MESSAGE_LEFT_OUT["flags"],
            "_cs_cached_message": CACHED,
            "_state": "discord.py's own",
        },
    ),
    discord.Attachment: (
        names("id size filename url description title content_type"),
        {
            "proxy_url": "the same file, made smaller",
            "width": "in the file",
            "height": "in the file",
            "duration": "in the file",
            "waveform": "in the file",
            "ephemeral": "what only one person could see is not in a history",
            "_flags": "how it is shown",
            "_http": "discord.py's own",
        },
    ),
    discord.Embed: (
        names(
            "title url _timestamp _footer _image _thumbnail _video _provider "
            "_author _fields _colour description"
        ),
        {"type": "how it is shown", "_flags": "how it is shown"},
    ),
    discord.StickerItem: (
        frozenset(("name", "id", "format", "url")),
        {"_state": "discord.py's own"},
    ),
    discord.Poll: (
        frozenset(("_answers", "_question_media", "_expiry", "_finalized")),
        {
            "multiple": "a rule for voting",
            "duration": "the end is kept",
            "layout_type": "there is one",
            "_message": "discord.py's own",
            "_state": "discord.py's own",
            "_total_votes": "the sum of the answers'",
            "_victor_answer_id": "the one with the most votes",
        },
    ),
    discord.PollAnswer: (
        frozenset(("media", "_vote_count")),
        {
            "id": "a number that nobody sees",
            "self_voted": "the bot never votes",
            "_state": "discord.py's own",
            "_message": "discord.py's own",
            "_poll": "discord.py's own",
            "_victor": "the one with the most votes",
        },
    ),
    discord.MessageReference: (
        frozenset(("type", "message_id")),
        {
            "channel_id": "an answer is in its own channel",
            "guild_id": "an answer is in its own server",
            "fail_if_not_exists": "an option for sending",
            "resolved": "the message itself is in the page, or gone",
            "_state": "discord.py's own",
        },
    ),
}
"""Each with the fields that are kept, and the others with the reason."""

COMPONENTS_KEPT = names(
    "ActionRow Button SelectMenu SectionComponent TextDisplay "
    "ThumbnailComponent MediaGalleryComponent FileComponent Container SeparatorComponent"
)
COMPONENTS_LEFT_OUT = {
    "Component": "what they have in common",
    "TextInput": "only in a form",
    "LabelComponent": "only in a form",
    "FileUploadComponent": "only in a form",
    "RadioGroupComponent": "only in a form",
    "CheckboxGroupComponent": "only in a form",
    "CheckboxComponent": "only in a form",
}


def slots(kind: type[object]) -> set[str]:
    groups = (getattr(base, "__slots__", ()) for base in kind.__mro__)
    return {name for group in groups for name in ((group,) if isinstance(group, str) else group)}


def test_every_field_of_a_message_is_kept_or_left_out_for_a_reason() -> None:
    assert slots(discord.Message) == {*MESSAGE_KEPT, *MESSAGE_LEFT_OUT}
    assert not MESSAGE_KEPT.keys() & MESSAGE_LEFT_OUT.keys()


@pytest.mark.parametrize("kind", PARTS, ids=lambda kind: kind.__name__)
def test_every_field_of_its_parts_is_kept_or_left_out_for_a_reason(kind: type[object]) -> None:
    kept, left_out = PARTS[kind]
    assert slots(kind) == {*kept, *left_out}


def test_every_kind_of_component_is_kept_or_left_out_for_a_reason() -> None:
    kinds = {
        name
        for name, kind in vars(components).items()
        if isinstance(kind, type) and issubclass(kind, components.Component)
    }
    assert kinds == {*COMPONENTS_KEPT, *COMPONENTS_LEFT_OUT}


def message_of(world: World, channel: discord.TextChannel, patch: JsonObject) -> discord.Message:
    payload: Any = BASE | patch
    return discord.Message(state=vars(world.bot)["_connection"], channel=channel, data=payload)


async def page_of(root: Path, *messages: discord.Message) -> str:
    async def history() -> AsyncIterator[Any]:
        for message in messages:
            yield transcript_message(message)

    saved = await TranscriptStore(root).save(HEADER, history(), always(b"x"))
    return saved.path.read_text(encoding="utf-8")


async def test_what_is_said_to_be_kept_is_in_the_page(settings: Settings, tmp_path: Path) -> None:
    async with a_world(settings) as world:
        channel = world.bot.get_channel(world.lobby.id)
        assert isinstance(channel, discord.TextChannel)
        here = {"guild_id": str(world.guild.id), "parent_id": str(channel.id)}
        for number, (field, (patch, texts)) in enumerate(MESSAGE_KEPT.items()):
            placed = patch | ({"thread": patch["thread"] | here} if "thread" in patch else {})
            page = await page_of(tmp_path / str(number), message_of(world, channel, placed))
            assert [text for text in texts if text not in page] == [], field
            assert str(UNREADABLE) not in page, field


async def test_roles_and_channels_are_named(settings: Settings, tmp_path: Path) -> None:
    async with a_world(settings) as world:
        channel = world.bot.get_channel(world.lobby.id)
        assert isinstance(channel, discord.TextChannel)
        content = f"{world.support.mention} {world.logs.mention}"
        patch = {"content": content, "mention_roles": [str(world.support.id)]}
        forwarded = {"message_snapshots": [{"message": SNAPSHOT | {"content": content}}]}
        for number, each in enumerate((patch, forwarded)):
            page = await page_of(tmp_path / str(number), message_of(world, channel, each))
            assert f"@{world.support.name}" in page
            assert f"#{world.logs.name}" in page


async def test_an_uploaded_file_stands_once_where_a_component_shows_it(
    settings: Settings, tmp_path: Path
) -> None:
    async with a_world(settings) as world:
        channel = world.bot.get_channel(world.lobby.id)
        assert isinstance(channel, discord.TextChannel)
        shown: JsonObject = {"url": FILE["url"], "attachment_id": FILE["id"]}
        another = FILE | {"id": "1100000000000000009", "filename": "another.txt"}
        patch = {
            "attachments": [FILE, another],
            "components": [{"type": 17, "id": 1, "components": [{"type": 13, "file": shown}]}],
        }
        page = await page_of(tmp_path, message_of(world, channel, patch))
        card = page[page.index('<div class="container') : page.index("another.txt")]
        assert 'download="a-file.txt"' in card
        assert page.count('download="a-file.txt"') == 1


async def test_no_message_is_too_strange_to_be_saved(settings: Settings, tmp_path: Path) -> None:
    """Here discord.py itself fails to say what a system message says."""
    async with a_world(settings) as world:
        channel = world.bot.get_channel(world.lobby.id)
        assert isinstance(channel, discord.TextChannel)
        deleted: JsonObject = {
            "referenced_message": None,
            "message_reference": {"message_id": "5", "channel_id": str(channel.id)},
        }
        for number, strange in enumerate(({"type": 21, **deleted}, {"type": 1}, {"type": 46})):
            ordinary = message_of(world, channel, {"content": "Something", "attachments": [FILE]})
            message = message_of(world, channel, {"content": "Strange", **strange})
            page = await page_of(tmp_path / str(number), ordinary, message)
            assert "Something" in page
            assert "Strange" in page
