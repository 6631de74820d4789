"""The bot registering its commands, everywhere or in one server."""

from .. import errors
from ..call import NO_CONTENT, Answer, Call, ok
from ..json_types import JsonObject
from ..state import World

IN_SERVERS = 0


def list_commands(world: World, call: Call) -> Answer:
    return ok(_registry(world, call))


def replace_commands(world: World, call: Call) -> Answer:
    registry = _registry(world, call)
    registry[:] = [_registered(world, call, registry, command) for command in call.json_list]
    return ok(registry)


def upsert_command(world: World, call: Call) -> Answer:
    registry = _registry(world, call)
    command = _registered(world, call, registry, call.json)
    registry[:] = [each for each in registry if each["id"] != command["id"]] + [command]
    return ok(command)


def delete_command(world: World, call: Call) -> Answer:
    registry = _registry(world, call)
    kept = [each for each in registry if each["id"] != call.variables["command_id"]]
    if len(kept) == len(registry):
        raise errors.unknown("application command")
    registry[:] = kept
    return NO_CONTENT


def _registry(world: World, call: Call) -> list[JsonObject]:
    if "guild_id" not in call.variables:
        return world.global_commands
    guild = world.guild(call.id("guild_id"))
    return world.guild_commands.setdefault(guild.id, [])


def _registered(
    world: World, call: Call, registry: list[JsonObject], command: JsonObject
) -> JsonObject:
    """A command keeps its id for as long as its name and type stay."""
    kind = command.get("type") or 1
    ids = {(each["name"], each["type"]): each["id"] for each in registry}
    registered: JsonObject = {
        "description": "",
        "default_member_permissions": None,
        "nsfw": False,
        **command,
        "id": ids.get((command["name"], kind)) or str(world.snowflakes.next()),
        "application_id": str(world.bot.id),
        "version": str(world.snowflakes.next()),
        "type": kind,
        "integration_types": command.get("integration_types") or [IN_SERVERS],
    }
    if "guild_id" in call.variables:
        registered["guild_id"] = call.variables["guild_id"]
    return registered


_GLOBAL = "/applications/{application_id}/commands"
_IN_GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"

ROUTES = {
    ("GET", _GLOBAL): list_commands,
    ("PUT", _GLOBAL): replace_commands,
    ("POST", _GLOBAL): upsert_command,
    ("DELETE", _GLOBAL + "/{command_id}"): delete_command,
    ("GET", _IN_GUILD): list_commands,
    ("PUT", _IN_GUILD): replace_commands,
    ("POST", _IN_GUILD): upsert_command,
    ("DELETE", _IN_GUILD + "/{command_id}"): delete_command,
}
