"""Channels and threads being made, changed and deleted, within Discord's limits."""

from collections.abc import Iterable

from . import errors, payloads, snowflakes
from .json_types import JsonObject, children
from .models import Channel, ChannelType, Guild, Overwrite, ThreadState, User
from .permissions import Permission
from .state import World

CHANNELS_PER_CATEGORY = 50
CHANNELS_PER_GUILD = 500


def create(world: World, guild: Guild, body: JsonObject) -> Channel:
    kind = ChannelType(body.get("type") or 0)
    parent = _parent(world, body.get("parent_id"))
    if _count(world, guild) >= CHANNELS_PER_GUILD:
        raise errors.too_many_guild_channels(CHANNELS_PER_GUILD)
    if parent is not None:
        _require_room(world, parent)
    overwrites = parse_overwrites(children(body, "permission_overwrites"))
    if body.get("permission_overwrites") is None and parent is not None:
        overwrites = dict(parent.overwrites)
    channel = Channel(
        world.snowflakes.next(),
        kind,
        _checked_name(body["name"], kind),
        guild_id=guild.id,
        parent_id=parent.id if parent else None,
        topic=body.get("topic"),
        position=body.get("position") or 0,
        nsfw=bool(body.get("nsfw")),
        slowmode_seconds=body.get("rate_limit_per_user") or 0,
        overwrites=overwrites,
    )
    world.channels[channel.id] = channel
    world.emit("CHANNEL_CREATE", payloads.channel(channel))
    return channel


def create_thread(
    world: World, parent: Channel, body: JsonObject, maker: User | None = None
) -> Channel:
    """Without a message to start from; its first member is who made it: the bot, or a person."""
    owner = maker or world.bot
    kind = ChannelType(body.get("type") or ChannelType.PRIVATE_THREAD)
    thread = Channel(
        world.snowflakes.next(),
        kind,
        _checked_name(body["name"], kind),
        guild_id=parent.guild_id,
        parent_id=parent.id,
        thread=ThreadState(
            owner.id,
            invitable=body.get("invitable") is not False,
            auto_archive_minutes=body.get("auto_archive_duration") or 1440,
            archive_timestamp=snowflakes.now(),
            member_ids={owner.id},
        ),
    )
    world.channels[thread.id] = thread
    world.emit("THREAD_CREATE", payloads.channel(thread) | {"newly_created": True})
    return thread


def modify(world: World, channel: Channel, body: JsonObject) -> None:
    if channel.thread is not None:
        _modify_thread(channel, channel.thread, body)
    else:
        _modify_guild_channel(world, channel, body)
    if "name" in body:
        channel.name = _checked_name(body["name"], channel.type)
    channel.slowmode_seconds = body.get("rate_limit_per_user", channel.slowmode_seconds) or 0
    announce_update(world, channel)


def set_overwrite(world: World, channel: Channel, overwrite: Overwrite) -> None:
    channel.overwrites[overwrite.target_id] = overwrite
    announce_update(world, channel)


def remove_overwrite(world: World, channel: Channel, target_id: int) -> None:
    if target_id not in channel.overwrites:
        raise errors.unknown("Overwrite")
    del channel.overwrites[target_id]
    announce_update(world, channel)


def delete(world: World, channel: Channel) -> None:
    """With its threads; a category's channels stay, without a category."""
    for child in [each for each in world.channels.values() if each.parent_id == channel.id]:
        if child.thread is not None:
            _delete(world, child)
        else:
            child.parent_id = None
            announce_update(world, child)
    _delete(world, channel)
    event = "CHANNEL_DELETE" if channel.thread is None else "THREAD_DELETE"
    world.emit(event, payloads.channel(channel))


def announce_update(world: World, channel: Channel) -> None:
    event = "CHANNEL_UPDATE" if channel.thread is None else "THREAD_UPDATE"
    world.emit(event, payloads.channel(channel))


def add_thread_member(world: World, thread: Channel, state: ThreadState, user_id: int) -> None:
    if user_id in state.member_ids:
        return
    state.member_ids.add(user_id)
    _announce_members(world, thread, state, added=[user_id])


def remove_thread_member(world: World, thread: Channel, state: ThreadState, user_id: int) -> None:
    if user_id not in state.member_ids:
        return
    state.member_ids.remove(user_id)
    _announce_members(world, thread, state, removed=[user_id])


def parse_overwrites(entries: Iterable[JsonObject]) -> dict[int, Overwrite]:
    parsed = (parse_overwrite(int(entry["id"]), entry) for entry in entries)
    return {overwrite.target_id: overwrite for overwrite in parsed}


def parse_overwrite(target_id: int, body: JsonObject) -> Overwrite:
    return Overwrite(
        target_id,
        is_member=int(body.get("type") or 0) == 1,
        allow=Permission(int(body.get("allow") or 0)),
        deny=Permission(int(body.get("deny") or 0)),
    )


def _modify_guild_channel(world: World, channel: Channel, body: JsonObject) -> None:
    if "parent_id" in body:
        parent = _parent(world, body["parent_id"])
        if parent is not None and parent.id != channel.parent_id:
            _require_room(world, parent)
        channel.parent_id = parent.id if parent else None
    if "permission_overwrites" in body:
        channel.overwrites = parse_overwrites(children(body, "permission_overwrites"))
    channel.topic = body.get("topic", channel.topic)
    channel.position = body.get("position", channel.position) or 0
    channel.nsfw = bool(body.get("nsfw", channel.nsfw))


def _modify_thread(channel: Channel, thread: ThreadState, body: JsonObject) -> None:
    if thread.archived and body.get("archived") is not False:
        raise errors.archived_thread()
    if bool(body.get("archived", thread.archived)) != thread.archived:
        thread.archived = bool(body["archived"])
        thread.archive_timestamp = snowflakes.now()
    thread.locked = bool(body.get("locked", thread.locked))
    thread.invitable = bool(body.get("invitable", thread.invitable))
    thread.auto_archive_minutes = body.get("auto_archive_duration") or thread.auto_archive_minutes


def _announce_members(
    world: World,
    thread: Channel,
    state: ThreadState,
    *,
    added: Iterable[int] = (),
    removed: Iterable[int] = (),
) -> None:
    world.emit(
        "THREAD_MEMBERS_UPDATE",
        {
            "id": str(thread.id),
            "guild_id": str(thread.guild_id),
            "member_count": len(state.member_ids),
            "added_members": [payloads.thread_member(thread, user_id) for user_id in added],
            "removed_member_ids": [str(user_id) for user_id in removed],
        },
    )


def _delete(world: World, channel: Channel) -> None:
    del world.channels[channel.id]
    channel.deleted = True
    for message in channel.messages.values():
        message.deleted = True


def _parent(world: World, parent_id: str | int | None) -> Channel | None:
    if parent_id is None:
        return None
    parent = world.channels.get(int(parent_id))
    if parent is None or parent.type is not ChannelType.CATEGORY:
        raise errors.invalid_form("parent_id", "CHANNEL_PARENT_INVALID", "Category does not exist")
    return parent


def _require_room(world: World, parent: Channel) -> None:
    children = sum(each.parent_id == parent.id for each in world.channels.values())
    if children >= CHANNELS_PER_CATEGORY:
        raise errors.invalid_form(
            "parent_id",
            "CHANNEL_PARENT_MAX_CHANNELS",
            f"Maximum number of channels in category reached ({CHANNELS_PER_CATEGORY})",
        )


def _count(world: World, guild: Guild) -> int:
    return sum(each.thread is None for each in world.channels_of(guild))


def _checked_name(name: str, kind: ChannelType) -> str:
    if not 1 <= len(name) <= 100:
        raise errors.invalid_form(
            "name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length."
        )
    if kind in (ChannelType.TEXT, ChannelType.ANNOUNCEMENT):
        return name.lower().replace(" ", "-")
    return name
