"""What the composer offers: the slash commands that this person has here, in their language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simcord import interactions as wire
from simcord.backend.models import Channel
from simcord.enums import ChannelType, OptionType

from demo.guild import DemoGuild
from demo.page.looking import Looking

Spec = Mapping[str, Any]
SEND = 1 << 11
MENUS = (OptionType.BOOLEAN, OptionType.USER, OptionType.ROLE, OptionType.CHANNEL)


def composer(guild: DemoGuild, looking: Looking, channel: Channel, place: str) -> Mapping[str, Any]:
    return {
        "place": place,
        "canWrite": _can_write(guild, looking, channel),
        "commands": list(_commands(guild, looking, channel)),
    }


def _can_write(guild: DemoGuild, looking: Looking, channel: Channel) -> bool:
    if channel.type == ChannelType.DM:
        return True
    permissions = guild.backend.compute_permissions(guild.id, looking.person.id, channel.id)
    return bool(permissions & SEND)


def _commands(guild: DemoGuild, looking: Looking, channel: Channel) -> Iterator[Mapping[str, Any]]:
    locale = looking.words.locale
    visible = guild.backend.visible_commands(user_id=looking.person.id, channel_id=channel.id)
    for command in visible:
        for path, leaf in wire.command_leaves(command):
            options: Sequence[Spec] = leaf.get("options") or ()
            yield {
                "name": " ".join(path),
                "label": " ".join(_labels(command, path, locale)),
                "description": _localized(leaf, "description", locale),
                "options": [_option(guild, looking, option, locale) for option in options],
            }


def _labels(command: Spec, path: Sequence[str], locale: str) -> Iterator[str]:
    yield _localized(command, "name", locale)
    node = command
    for name in path[1:]:
        node = next(each for each in node.get("options") or () if each["name"] == name)
        yield _localized(node, "name", locale)


def _option(guild: DemoGuild, looking: Looking, option: Spec, locale: str) -> Mapping[str, Any]:
    return {
        "name": option["name"],
        "label": _localized(option, "name", locale),
        "description": _localized(option, "description", locale),
        "required": bool(option.get("required")),
        "autocomplete": bool(option.get("autocomplete")),
        "maxLength": option.get("max_length"),
        "isMenu": option["type"] in MENUS or bool(option.get("choices")),
        "choices": list(_choices(guild, looking, option, locale)),
    }


def _choices(
    guild: DemoGuild, looking: Looking, option: Spec, locale: str
) -> Iterator[Mapping[str, str]]:
    """Empty where anything can be typed."""
    words = looking.words
    match option["type"]:
        case OptionType.BOOLEAN:
            yield {"value": "true", "label": words("composer.yes")}
            yield {"value": "false", "label": words("composer.no")}
        case OptionType.USER:
            for person in guild.people:
                yield {"value": str(person.id), "label": person.name}
        case OptionType.ROLE:
            for role in guild.backend.get_guild(guild.id).roles.values():
                yield {"value": str(role.id), "label": role.name}
        case OptionType.CHANNEL:
            for channel in _channels(guild, looking, option):
                yield {"value": str(channel.id), "label": f"#{channel.name}"}
        case _:
            for choice in option.get("choices") or ():
                label = _localized(choice, "name", locale)
                yield {"value": str(choice["value"]), "label": label}


def _channels(guild: DemoGuild, looking: Looking, option: Spec) -> Sequence[Channel]:
    kinds: Sequence[int] = option.get("channel_types") or (ChannelType.TEXT,)
    return [each for each in guild.channels_of(looking.person) if each.type in kinds]


def _localized(spec: Spec, what: str, locale: str) -> str:
    translations: Mapping[str, str] = spec.get(f"{what}_localizations") or {}
    return translations.get(locale) or spec.get(what) or ""
