"""Servers, their members and roles, as far as a bot reads them."""

from .. import payloads
from ..call import Answer, Call, ok
from ..state import World


def get_guild(world: World, call: Call) -> Answer:
    guild = world.guild(call.id("guild_id"))
    count = len(guild.members)
    return ok(
        payloads.guild(guild)
        | {"approximate_member_count": count, "approximate_presence_count": count}
    )


def list_my_guilds(world: World, call: Call) -> Answer:
    return ok(
        [
            {
                "id": str(guild.id),
                "name": guild.name,
                "icon": None,
                "banner": None,
                "owner": guild.owner_id == world.bot.id,
                "permissions": str(int(world.permissions(world.bot_in(guild)))),
                "features": [],
            }
            for guild in world.guilds_of(world.bot)
        ]
    )


def list_roles(world: World, call: Call) -> Answer:
    guild = world.guild(call.id("guild_id"))
    return ok([payloads.role(role) for role in guild.roles.values()])


def get_member(world: World, call: Call) -> Answer:
    guild = world.guild(call.id("guild_id"))
    return ok(payloads.member(world.member(guild, call.id("user_id"))))


def list_members(world: World, call: Call) -> Answer:
    guild = world.guild(call.id("guild_id"))
    after, limit = call.query_id("after") or 0, int(call.query.get("limit", 1))
    later = sorted((each for each in guild.members.values() if each.id > after), key=lambda m: m.id)
    return ok([payloads.member(member) for member in later[:limit]])


ROUTES = {
    ("GET", "/guilds/{guild_id}"): get_guild,
    ("GET", "/users/@me/guilds"): list_my_guilds,
    ("GET", "/guilds/{guild_id}/roles"): list_roles,
    ("GET", "/guilds/{guild_id}/members"): list_members,
    ("GET", "/guilds/{guild_id}/members/{user_id}"): get_member,
}
