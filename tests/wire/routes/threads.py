"""Threads: started, and who is in them. Changing and deleting one is a channel's business."""

from .. import channels, errors, payloads
from ..call import NO_CONTENT, Answer, Call, created, ok
from ..models import Channel, ChannelType, ThreadState
from ..permissions import Permission
from ..state import World


def create_thread(world: World, call: Call) -> Answer:
    parent = world.channel(call.id("channel_id"))
    if parent.guild_id is None or parent.thread is not None or not parent.holds_messages:
        raise errors.not_a_text_channel()
    public = call.json.get("type") == ChannelType.PUBLIC_THREAD
    world.require(
        parent,
        Permission.CREATE_PUBLIC_THREADS if public else Permission.CREATE_PRIVATE_THREADS,
    )
    return created(payloads.channel(channels.create_thread(world, parent, call.json)))


def list_active_threads(world: World, call: Call) -> Answer:
    guild = world.guild(call.id("guild_id"))
    active = [each for each in world.channels_of(guild) if each.thread and not each.thread.archived]
    return ok(
        {"threads": [payloads.channel(each) for each in active], "members": [], "has_more": False}
    )


def list_archived_public_threads(world: World, call: Call) -> Answer:
    return _archived(world, call, ChannelType.PUBLIC_THREAD)


def list_archived_private_threads(world: World, call: Call) -> Answer:
    return _archived(world, call, ChannelType.PRIVATE_THREAD, Permission.MANAGE_THREADS)


def list_joined_archived_private_threads(world: World, call: Call) -> Answer:
    return _archived(world, call, ChannelType.PRIVATE_THREAD, joined=True)


def _archived(
    world: World, call: Call, kind: ChannelType, *needed: Permission, joined: bool = False
) -> Answer:
    """All on one page."""
    parent = world.channel(call.id("channel_id"))
    world.require(parent, Permission.READ_MESSAGE_HISTORY, *needed)
    threads = [
        each
        for each in world.channels.values()
        if each.parent_id == parent.id
        and each.type is kind
        and each.thread
        and each.thread.archived
        and (not joined or world.bot.id in each.thread.member_ids)
    ]
    return ok(
        {"threads": [payloads.channel(each) for each in threads], "members": [], "has_more": False}
    )


def add_member(world: World, call: Call) -> Answer:
    thread, state = _writable_thread(world, call)
    user = world.user(call.id("user_id"))
    channels.add_thread_member(world, thread, state, user.id)
    return NO_CONTENT


def remove_member(world: World, call: Call) -> Answer:
    thread, state = _writable_thread(world, call)
    channels.remove_thread_member(world, thread, state, call.id("user_id"))
    return NO_CONTENT


def list_members(world: World, call: Call) -> Answer:
    thread, state = _thread(world, call)
    return ok([payloads.thread_member(thread, user_id) for user_id in state.member_ids])


def join(world: World, call: Call) -> Answer:
    thread, state = _writable_thread(world, call)
    channels.add_thread_member(world, thread, state, world.bot.id)
    return NO_CONTENT


def _thread(world: World, call: Call) -> tuple[Channel, ThreadState]:
    thread = world.channel(call.id("channel_id"))
    world.require(thread)
    if thread.thread is None:
        raise errors.not_a_text_channel()
    return thread, thread.thread


def _writable_thread(world: World, call: Call) -> tuple[Channel, ThreadState]:
    thread, state = _thread(world, call)
    world.require(thread, Permission.SEND_MESSAGES_IN_THREADS)
    if state.archived:
        raise errors.archived_thread()
    return thread, state


ROUTES = {
    ("POST", "/channels/{channel_id}/threads"): create_thread,
    ("GET", "/guilds/{guild_id}/threads/active"): list_active_threads,
    ("GET", "/channels/{channel_id}/threads/archived/public"): list_archived_public_threads,
    ("GET", "/channels/{channel_id}/threads/archived/private"): list_archived_private_threads,
    (
        "GET",
        "/channels/{channel_id}/users/@me/threads/archived/private",
    ): list_joined_archived_private_threads,
    ("GET", "/channels/{channel_id}/thread-members"): list_members,
    ("PUT", "/channels/{channel_id}/thread-members/@me"): join,
    ("PUT", "/channels/{channel_id}/thread-members/{user_id}"): add_member,
    ("DELETE", "/channels/{channel_id}/thread-members/{user_id}"): remove_member,
}
