"""What a member typed into a slash command's fields, as the payload that Discord makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simcord import interactions as wire
from simcord.backend import Backend, serializers
from simcord.backend.access import channel_accessible
from simcord.backend.errors import OptionError
from simcord.enums import OptionType

from demo.virtual_discord.actor import Actor

Spec = Mapping[str, Any]
Resolved = dict[str, dict[str, Any]]
ENTITIES = (OptionType.USER, OptionType.ROLE, OptionType.CHANNEL, OptionType.MENTIONABLE)


@dataclass(frozen=True, slots=True)
class Call:
    """A command, the names of the subcommand below it, and what was typed."""

    command: Spec
    nesting: Sequence[str]
    typed: Mapping[str, str]
    focused: str | None = None
    """The field whose choices are asked for: then the others may be wrong as yet."""

    @property
    def name(self) -> str:
        return " ".join([self.command["name"], *self.nesting])


def fill_in(backend: Backend, actor: Actor, call: Call) -> tuple[list[dict[str, Any]], Resolved]:
    """The options, nested as the command is, and the entities that they name. Fields that were left
    empty count as not given. Raises OptionError, whose text says what is wrong."""
    leaf, _ = wire.walk_to_subcommand(dict(call.command), list(call.nesting))
    filled: list[dict[str, Any]] = []
    resolved: Resolved = {}
    options: Sequence[Spec] = leaf.get("options") or ()
    for option in options:
        text = call.typed.get(option["name"], "")
        entry = {"name": option["name"], "type": option["type"]}
        if option["name"] == call.focused:
            filled.append(entry | {"value": text, "focused": True})
        elif text:
            try:
                value = _value(backend, actor, call.name, option, text)
            except OptionError:
                if call.focused is None:
                    raise
                continue
            if option["type"] in ENTITIES:
                resolve(backend, actor, int(text), resolved)
            filled.append(entry | {"value": value})
        elif option.get("required") and call.focused is None:
            raise OptionError("option-required", option["name"], f"{option['name']} is needed")
    return wire.nest_options(dict(call.command), list(call.nesting), filled), resolved


def _value(backend: Backend, actor: Actor, command: str, option: Spec, text: str) -> Any:
    if option["type"] in ENTITIES:
        if not text.isdecimal() or not resolve(backend, actor, int(text), {}):
            raise OptionError("option-entity", option["name"], f"{text} is not here")
        return text
    is_boolean = option["type"] == OptionType.BOOLEAN
    return wire.parse_option_input(command, dict(option), text == "true" if is_boolean else text)


def resolve(backend: Backend, actor: Actor, entity_id: int, resolved: Resolved) -> bool:
    """Add what a member, a role or a channel looks like in a payload. False if there is none."""
    guild = backend.get_guild(backend.get_channel(actor.channel_id).guild_id or 0)
    key = str(entity_id)
    if entity_id in guild.members:
        member = serializers.member_payload(
            backend, guild, guild.members[entity_id], with_user=False
        )
        permissions = backend.compute_permissions(guild.id, entity_id, actor.channel_id)
        user = serializers.user_payload(backend.get_user(entity_id))
        resolved.setdefault("users", {})[key] = user
        resolved.setdefault("members", {})[key] = {**member, "permissions": str(permissions)}
    elif entity_id in guild.roles:
        resolved.setdefault("roles", {})[key] = serializers.role_payload(guild.roles[entity_id])
    elif channel_accessible(backend, entity_id, actor.user_id):
        permissions = backend.compute_permissions(guild.id, actor.user_id, entity_id)
        channel = serializers.channel_payload(backend, backend.get_channel(entity_id))
        resolved.setdefault("channels", {})[key] = {**channel, "permissions": str(permissions)}
    else:
        return False
    return True
