"""The commands, as people find them in Discord."""

from __future__ import annotations

import re
from typing import Any

import discord
from discord import AppCommandOptionType as Type

from domains.settings import Settings
from tests.cogs.world import World, a_world

GUILD_ONLY = [0]
MANAGE_SERVER = discord.Permissions(manage_guild=True).value
UNDESCRIBED = "…"
"""What discord.py fills in."""

COMMANDS: dict[str, dict[str, Type]] = {
    "setup": {
        "support_role": Type.role,
        "category": Type.channel,
        "log_channel": Type.channel,
        "keep_deleted": Type.boolean,
    },
    "panel": {"channel": Type.channel, "title": Type.string, "text": Type.string},
    "closerequest": {"reason": Type.string, "close_delay": Type.string},
    "close": {"reason": Type.string},
    "autoclose exclude": {},
    "autoclose include": {},
    "autoclose status": {},
    "autoclose replies": {"keep_open": Type.boolean},
    "timers": {},
    "doctor": {},
    "block": {"member": Type.user, "for": Type.string, "reason": Type.string},
    "unblock": {"member": Type.user},
    "blocked": {"page": Type.integer},
    "language": {"language": Type.string},
    "limits": {
        "max_open_total": Type.integer,
        "max_open_per_member": Type.integer,
        "cooldown": Type.string,
        "required_roles": Type.string,
        "forbidden_roles": Type.string,
        "min_account_age": Type.string,
        "min_membership": Type.string,
        "reset": Type.string,
    },
    "forget-me": {},
    "forget": {"user_id": Type.string},
    "export-me": {},
}


def synced(world: World) -> dict[str, dict[str, Any]]:
    return {name: command for (name, _), command in world.env.backend.commands[None].items()}


def leaves(world: World) -> dict[str, dict[str, dict[str, Any]]]:
    """The options of every command, by the words that call it."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for name, command in synced(world).items():
        options: list[dict[str, Any]] = command["options"]
        nested = [o for o in options if o["type"] == Type.subcommand.value]
        for words, leaf in [(f"{name} {sub['name']}", sub) for sub in nested] or [(name, command)]:
            found[words] = {option["name"]: option for option in leaf.get("options", [])}
    return found


async def test_the_commands_and_their_options_are_exactly_these(settings: Settings) -> None:
    async with a_world(settings) as world:
        found = leaves(world)
        assert {
            words: {name: Type(option["type"]) for name, option in options.items()}
            for words, options in found.items()
        } == COMMANDS


async def test_all_options_can_be_left_out_but_what_a_command_is_about(settings: Settings) -> None:
    async with a_world(settings) as world:
        required = [
            f"{words}: {name}"
            for words, options in leaves(world).items()
            for name, option in options.items()
            if option.get("required")
        ]
        assert required == [
            "autoclose replies: keep_open",
            "block: member",
            "unblock: member",
            "language: language",
            "forget: user_id",
        ]


async def test_a_reason_has_at_most_255_characters(settings: Settings) -> None:
    async with a_world(settings) as world:
        found = leaves(world)
        assert found["closerequest"]["reason"]["max_length"] == 255
        assert found["close"]["reason"]["max_length"] == 255
        assert found["block"]["reason"]["max_length"] == 255


async def test_channels_of_the_wrong_kind_are_not_offered(settings: Settings) -> None:
    async with a_world(settings) as world:
        options = leaves(world)
        assert options["setup"]["category"]["channel_types"] == [discord.ChannelType.category.value]
        for option in (options["setup"]["log_channel"], options["panel"]["channel"]):
            assert discord.ChannelType.text.value in option["channel_types"]
            assert discord.ChannelType.voice.value not in option["channel_types"]


async def test_what_admins_do_is_shown_to_who_may_manage_the_server(settings: Settings) -> None:
    async with a_world(settings) as world:
        shown_to = {
            name: command["default_member_permissions"] for name, command in synced(world).items()
        }
        for name in ("setup", "panel", "doctor", "limits", "language", "forget"):
            assert int(shown_to[name]) == MANAGE_SERVER
        for name in ("closerequest", "close", "autoclose", "timers", "block", "blocked"):
            assert shown_to[name] is None


async def test_only_what_is_about_oneself_is_offered_in_direct_messages(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        assert sorted(world.amy.user.available_commands()) == ["export-me", "forget-me"]


async def test_every_command_and_option_is_described(settings: Settings) -> None:
    async with a_world(settings) as world:
        for command in synced(world).values():
            assert command["description"] not in ("", UNDESCRIBED)
        for words, options in leaves(world).items():
            for name, option in options.items():
                assert option["description"] not in ("", UNDESCRIBED), f"{words} {name}"


async def test_commands_options_and_choices_are_translated(settings: Settings) -> None:
    async with a_world(settings) as world:
        commands = synced(world)
        described = [*commands.values(), *(o for c in commands.values() for o in c["options"])]
        assert all(each["description_localizations"].keys() == {"de"} for each in described)
        assert not any(each.get("name_localizations") for each in described)
        [reset] = [o for o in commands["limits"]["options"] if o["name"] == "reset"]
        assert reset["choices"][-1]["name_localizations"] == {"de": "Alle"}
        [language] = commands["language"]["options"]
        names = [choice["name"] for choice in language["choices"]]
        assert names == ["English", "Deutsch", "As Discord's server setting"]


async def test_the_close_delay_is_said_in_words_while_it_is_typed(settings: Settings) -> None:
    async with a_world(settings) as world:
        choices = await world.sam.autocomplete(world.lobby, "closerequest", "close_delay", "30")
        assert [choice["value"] for choice in choices] == ["30"]
        assert re.fullmatch(r"30 hours: \w{3} \d+ \w{3} \d\d:\d\d UTC", choices[0]["name"])


async def test_what_is_too_long_for_a_suggestion_breaks_nothing(settings: Settings) -> None:
    async with a_world(settings) as world:
        choices = await world.sam.autocomplete(
            world.lobby, "closerequest", "close_delay", "9" * 500
        )
        assert all(len(choice["name"]) <= 100 for choice in choices)
