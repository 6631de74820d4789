"""Who is there: servers, members and their roles."""

from collections.abc import Iterable

from . import payloads, snowflakes
from .models import Guild, Member, Role, User
from .permissions import EVERY_PERMISSION, EVERYONE_PERMISSIONS, NO_PERMISSIONS, Permission
from .state import World

# Everything but Administrator: an administrator would be above every overwrite, and a channel from
# which the bot locked itself out would go unnoticed.
BOT_PERMISSIONS = EVERY_PERMISSION & ~Permission.ADMINISTRATOR


def found_guild(world: World, name: str, owner: User) -> Guild:
    """A server with nothing in it but @everyone, its owner and the bot with a role of its own."""
    guild_id = world.snowflakes.next()
    guild = Guild(guild_id, name, owner.id)
    guild.roles[guild_id] = Role(guild_id, "@everyone", EVERYONE_PERMISSIONS, position=0)
    bot_role = Role(world.snowflakes.next(), world.bot.name, BOT_PERMISSIONS, managed=True)
    guild.roles[bot_role.id] = bot_role
    guild.members[owner.id] = Member(owner, guild_id, [], snowflakes.now())
    guild.members[world.bot.id] = Member(world.bot, guild_id, [bot_role.id], snowflakes.now())
    world.guilds[guild_id] = guild
    world.emit("GUILD_CREATE", payloads.guild_with_contents(guild, []))
    return guild


def lose(world: World, guild: Guild) -> None:
    """An outage of Discord's own: the server is not to be reached, and may be for hours."""
    world.unavailable.add(guild.id)
    world.emit("GUILD_DELETE", {"id": str(guild.id), "unavailable": True})


def find_again(world: World, guild: Guild) -> None:
    world.unavailable.discard(guild.id)
    contents = payloads.guild_with_contents(guild, world.channels_of(guild))
    world.emit("GUILD_CREATE", contents | {"unavailable": False})


def add_role(
    world: World, guild: Guild, name: str, permissions: Permission = NO_PERMISSIONS
) -> Role:
    role = Role(world.snowflakes.next(), name, permissions, len(guild.roles))
    guild.roles[role.id] = role
    world.emit("GUILD_ROLE_CREATE", {"guild_id": str(guild.id), "role": payloads.role(role)})
    return role


def set_permissions(world: World, guild: Guild, role: Role, permissions: Permission) -> None:
    role.permissions = permissions
    world.emit("GUILD_ROLE_UPDATE", {"guild_id": str(guild.id), "role": payloads.role(role)})


def delete_role(world: World, guild: Guild, role: Role) -> None:
    del guild.roles[role.id]
    for member in guild.members.values():
        if role.id in member.role_ids:
            member.role_ids.remove(role.id)
    world.emit("GUILD_ROLE_DELETE", {"guild_id": str(guild.id), "role_id": str(role.id)})


def add_user(world: World, name: str) -> User:
    user = User(world.snowflakes.next(), name)
    world.users[user.id] = user
    return user


def join(world: World, guild: Guild, user: User, roles: Iterable[Role] = ()) -> Member:
    member = Member(user, guild.id, [role.id for role in roles], snowflakes.now())
    guild.members[user.id] = member
    world.emit("GUILD_MEMBER_ADD", payloads.member(member) | {"guild_id": str(guild.id)})
    return member


def leave(world: World, member: Member) -> None:
    """Or is thrown out: of that the bot, too, hears nothing more than this."""
    del world.guilds[member.guild_id].members[member.id]
    if member.user is world.bot:
        world.emit("GUILD_DELETE", {"id": str(member.guild_id)})
        return
    world.emit(
        "GUILD_MEMBER_REMOVE",
        {"guild_id": str(member.guild_id), "user": payloads.user(member.user)},
    )


def come_back(world: World, member: Member) -> None:
    """After `leave`, with the roles of before."""
    guild = world.guilds[member.guild_id]
    guild.members[member.user.id] = member
    if member.user is world.bot:
        find_again(world, guild)
    else:
        world.emit("GUILD_MEMBER_ADD", payloads.member(member) | {"guild_id": str(guild.id)})


def set_roles(world: World, member: Member, roles: Iterable[Role]) -> None:
    member.role_ids = [role.id for role in roles]
    world.emit("GUILD_MEMBER_UPDATE", payloads.member(member) | {"guild_id": str(member.guild_id)})
