"""Channels: made, read, changed, deleted, and who may do what in them."""

from collections.abc import Iterable

from .. import channels, errors, payloads
from ..call import NO_CONTENT, Answer, Call, created, ok
from ..json_types import children
from ..models import Channel, Guild, Overwrite
from ..permissions import Permission
from ..state import World


def create_channel(world: World, call: Call) -> Answer:
    guild = world.guild(call.id("guild_id"))
    world.require_in_guild(guild, Permission.MANAGE_CHANNELS)
    overwrites = channels.parse_overwrites(children(call.json, "permission_overwrites"))
    _require_right_to_grant(world, guild, overwrites.values())
    parent = world.channels.get(int(call.json.get("parent_id") or 0))
    if parent is not None:
        world.require(parent, Permission.MANAGE_CHANNELS)
    return created(payloads.channel(channels.create(world, guild, call.json)))


def list_channels(world: World, call: Call) -> Answer:
    guild = world.guild(call.id("guild_id"))
    return ok([payloads.channel(each) for each in world.channels_of(guild) if each.thread is None])


def get_channel(world: World, call: Call) -> Answer:
    channel = world.channel(call.id("channel_id"))
    world.require(channel)
    return ok(payloads.channel(channel))


def modify_channel(world: World, call: Call) -> Answer:
    channel = world.channel(call.id("channel_id"))
    world.require(channel, _managing(channel))
    if channel.guild_id is not None and "permission_overwrites" in call.json:
        overwrites = channels.parse_overwrites(children(call.json, "permission_overwrites"))
        _require_right_to_grant(world, world.guilds[channel.guild_id], overwrites.values())
    channels.modify(world, channel, call.json)
    return ok(payloads.channel(channel))


def delete_channel(world: World, call: Call) -> Answer:
    channel = world.channel(call.id("channel_id"))
    world.require(channel, _managing(channel))
    if channel.guild_id is not None:  # a DM is only closed: it is there again when it is needed
        channels.delete(world, channel)
    return ok(payloads.channel(channel))


def set_permission(world: World, call: Call) -> Answer:
    channel, guild = _guild_channel(world, call)
    world.require(channel, Permission.MANAGE_ROLES)
    overwrite = channels.parse_overwrite(call.id("overwrite_id"), call.json)
    _require_right_to_grant(world, guild, [overwrite])
    channels.set_overwrite(world, channel, overwrite)
    return NO_CONTENT


def delete_permission(world: World, call: Call) -> Answer:
    channel, _ = _guild_channel(world, call)
    world.require(channel, Permission.MANAGE_ROLES)
    channels.remove_overwrite(world, channel, call.id("overwrite_id"))
    return NO_CONTENT


def _managing(channel: Channel) -> Permission:
    return Permission.MANAGE_THREADS if channel.thread else Permission.MANAGE_CHANNELS


def _guild_channel(world: World, call: Call) -> tuple[Channel, Guild]:
    channel = world.channel(call.id("channel_id"))
    if channel.guild_id is None:
        raise errors.not_a_text_channel()
    return channel, world.guilds[channel.guild_id]


def _require_right_to_grant(world: World, guild: Guild, overwrites: Iterable[Overwrite]) -> None:
    """Nobody grants or denies what they have not got; Manage Roles only an administrator."""
    held = world.permissions(world.bot_in(guild))
    grantable = held if Permission.ADMINISTRATOR in held else held & ~Permission.MANAGE_ROLES
    for overwrite in overwrites:
        if Permission.MANAGE_ROLES not in held or (overwrite.allow | overwrite.deny) & ~grantable:
            raise errors.missing_permissions()


ROUTES = {
    ("POST", "/guilds/{guild_id}/channels"): create_channel,
    ("GET", "/guilds/{guild_id}/channels"): list_channels,
    ("GET", "/channels/{channel_id}"): get_channel,
    ("PATCH", "/channels/{channel_id}"): modify_channel,
    ("DELETE", "/channels/{channel_id}"): delete_channel,
    ("PUT", "/channels/{channel_id}/permissions/{overwrite_id}"): set_permission,
    ("DELETE", "/channels/{channel_id}/permissions/{overwrite_id}"): delete_permission,
}
