"""A slash command filled in as Discord's client does it: typed by what the bot registered, and
refused where the client would not let the user send it.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum

from . import payloads
from .json_types import JsonObject, children
from .models import Channel, Member, Role, User


class OptionType(IntEnum):
    SUBCOMMAND = 1
    SUBCOMMAND_GROUP = 2
    STRING = 3
    INTEGER = 4
    BOOLEAN = 5
    USER = 6
    CHANNEL = 7
    ROLE = 8
    MENTIONABLE = 9
    NUMBER = 10


class ClientRefusalError(Exception):
    """Discord's client would not let the user do this."""


def fill_in(
    command: JsonObject,
    path: Sequence[str],
    values: Mapping[str, object],
    focused: str | None = None,
) -> JsonObject:
    """The `data` of the interaction. `path` names subcommands; `focused` is being typed in."""
    leaf = command
    for name in path:
        leaf = _subcommand(leaf, name)
    declared = children(leaf, "options")
    if any(option["type"] <= OptionType.SUBCOMMAND_GROUP for option in declared):
        raise ClientRefusalError(f"/{command['name']} {' '.join(path)} needs a subcommand")
    _refuse_unknown(declared, values)
    resolved: JsonObject = {}
    options = [
        _option(option, values[option["name"]], resolved, focused)
        for option in declared
        if option["name"] in values
    ]
    if focused is None:
        _refuse_missing(declared, values)
    for name in reversed(path):
        kind = OptionType.SUBCOMMAND if name == path[-1] else OptionType.SUBCOMMAND_GROUP
        options = [{"name": name, "type": int(kind), "options": options}]
    data: JsonObject = {
        "id": command["id"],
        "name": command["name"],
        "type": 1,
        "options": options,
    }
    if "guild_id" in command:
        data["guild_id"] = command["guild_id"]
    return data | ({"resolved": resolved} if resolved else {})


def _subcommand(node: JsonObject, name: str) -> JsonObject:
    for option in children(node, "options"):
        if option["name"] == name and option["type"] <= OptionType.SUBCOMMAND_GROUP:
            return option
    raise ClientRefusalError(f"{node['name']} has no subcommand {name}")


def _refuse_unknown(declared: Sequence[JsonObject], values: Mapping[str, object]) -> None:
    if unknown := values.keys() - {option["name"] for option in declared}:
        raise ClientRefusalError(f"the command has no option {', '.join(sorted(unknown))}")


def _refuse_missing(declared: Sequence[JsonObject], values: Mapping[str, object]) -> None:
    for option in declared:
        if option.get("required") and option["name"] not in values:
            raise ClientRefusalError(f"option {option['name']} is required")


def _option(
    option: JsonObject, value: object, resolved: JsonObject, focused: str | None
) -> JsonObject:
    kind = OptionType(option["type"])
    if option["name"] == focused:
        return {"name": focused, "type": int(kind), "value": str(value), "focused": True}
    return {"name": option["name"], "type": int(kind), "value": _value(option, value, resolved)}


def _value(option: JsonObject, value: object, resolved: JsonObject) -> str | int | float | bool:
    kind = OptionType(option["type"])
    if isinstance(value, (Role, Channel, Member, User)):
        _refuse_unless(kind in _KINDS[type(value)], option, value)
        return _resolve(option, value, resolved)
    if kind is OptionType.STRING and isinstance(value, str):
        shortest, longest = option.get("min_length") or 0, option.get("max_length") or 6000
        _refuse_unless(shortest <= len(value) <= longest, option, value)
    elif kind is OptionType.BOOLEAN and isinstance(value, bool):
        return value
    elif kind in (OptionType.INTEGER, OptionType.NUMBER) and isinstance(value, (int, float)):
        lowest, highest = option.get("min_value"), option.get("max_value")
        _refuse_unless(lowest is None or value >= lowest, option, value)
        _refuse_unless(highest is None or value <= highest, option, value)
    else:
        raise ClientRefusalError(f"option {option['name']} takes no {type(value).__name__}")
    if choices := children(option, "choices"):
        _refuse_unless(any(choice["value"] == value for choice in choices), option, value)
    return value


_KINDS: Mapping[type, Sequence[OptionType]] = {
    Role: (OptionType.ROLE, OptionType.MENTIONABLE),
    Member: (OptionType.USER, OptionType.MENTIONABLE),
    User: (OptionType.USER, OptionType.MENTIONABLE),
    Channel: (OptionType.CHANNEL,),
}


def _resolve(
    option: JsonObject, value: Role | Channel | Member | User, resolved: JsonObject
) -> str:
    """What a picked thing is, beside its id: the bot's library builds its objects from it."""
    key = str(value.id)
    if isinstance(value, Role):
        resolved.setdefault("roles", {})[key] = payloads.role(value)
    elif isinstance(value, Channel):
        kinds = option.get("channel_types")
        _refuse_unless(not kinds or int(value.type) in kinds, option, value.name)
        resolved.setdefault("channels", {})[key] = payloads.channel(value) | {"permissions": "0"}
    else:
        user = value if isinstance(value, User) else value.user
        resolved.setdefault("users", {})[key] = payloads.user(user)
        if isinstance(value, Member):
            partial = payloads.member(value) | {"permissions": "0"}
            del partial["user"]
            resolved.setdefault("members", {})[key] = partial
    return key


def _refuse_unless(acceptable: bool, option: JsonObject, value: object) -> None:
    if not acceptable:
        raise ClientRefusalError(f"option {option['name']} does not accept {value!r}")
