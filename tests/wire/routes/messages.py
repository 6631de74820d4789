"""Messages: written, read, changed and deleted in a channel or a DM."""

from .. import channels, errors, messages
from ..call import NO_CONTENT, Answer, Call, ok
from ..models import Channel, Message
from ..permissions import Permission
from ..state import World


def create_message(world: World, call: Call) -> Answer:
    channel = _text_channel(world, call)
    _require_right_to_write(world, channel, call)
    message = messages.create(world, channel, world.bot, call.json, call.files)
    return ok(messages.visible_payload(world, message))


def edit_message(world: World, call: Call) -> Answer:
    message = _message(world, call)
    if message.author is not world.bot:
        raise errors.not_the_author()
    if message.channel.thread is not None and message.channel.thread.archived:
        raise errors.archived_thread()
    messages.edit(world, message, call.json, call.files)
    return ok(messages.visible_payload(world, message))


def get_message(world: World, call: Call) -> Answer:
    message = _message(world, call)
    world.require(message.channel, Permission.READ_MESSAGE_HISTORY)
    return ok(messages.visible_payload(world, message))


def list_messages(world: World, call: Call) -> Answer:
    """An empty list, not an error, where the bot may not read the history."""
    channel = _text_channel(world, call)
    limit = int(call.query.get("limit", 50))
    if not 1 <= limit <= 100:
        raise errors.invalid_form(
            "limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 100."
        )
    if not _may_read_history(world, channel):
        return ok([])
    page = messages.history(
        channel,
        limit=limit,
        before=call.query_id("before"),
        after=call.query_id("after"),
        around=call.query_id("around"),
    )
    return ok([messages.visible_payload(world, message) for message in page])


def delete_message(world: World, call: Call) -> Answer:
    message = _message(world, call)
    if message.author is not world.bot:
        world.require(message.channel, Permission.MANAGE_MESSAGES)
    messages.delete(world, message)
    return NO_CONTENT


def start_typing(world: World, call: Call) -> Answer:
    _require_right_to_write(world, _text_channel(world, call), call)
    return NO_CONTENT


def _text_channel(world: World, call: Call) -> Channel:
    channel = world.channel(call.id("channel_id"))
    world.require(channel)
    if not channel.holds_messages:
        raise errors.not_a_text_channel()
    return channel


def _message(world: World, call: Call) -> Message:
    return world.message(_text_channel(world, call), call.id("message_id"))


def _may_read_history(world: World, channel: Channel) -> bool:
    if channel.guild_id is None:
        return True
    bot = world.bot_in(world.guilds[channel.guild_id])
    return Permission.READ_MESSAGE_HISTORY in world.permissions(bot, channel)


def _require_right_to_write(world: World, channel: Channel, call: Call) -> None:
    if channel.recipient is not None:
        _require_open_dm(world, channel)
        return
    world.require(channel, channel.writing_permission)
    if call.files:
        world.require(channel, Permission.ATTACH_FILES)
    if call.body and call.json.get("embeds"):
        world.require(channel, Permission.EMBED_LINKS)
    if channel.thread is not None and channel.thread.archived:
        _reopen(world, channel)


def _require_open_dm(world: World, channel: Channel) -> None:
    recipient = channel.recipient
    if recipient is None or not recipient.accepts_dms or not world.guilds_of(recipient):
        raise errors.closed_dms()


def _reopen(world: World, thread: Channel) -> None:
    """Writing into an archived thread opens it again, unless it is locked."""
    if thread.thread is not None and thread.thread.locked:
        raise errors.archived_thread()
    channels.modify(world, thread, {"archived": False})


ROUTES = {
    ("POST", "/channels/{channel_id}/messages"): create_message,
    ("GET", "/channels/{channel_id}/messages"): list_messages,
    ("GET", "/channels/{channel_id}/messages/{message_id}"): get_message,
    ("PATCH", "/channels/{channel_id}/messages/{message_id}"): edit_message,
    ("DELETE", "/channels/{channel_id}/messages/{message_id}"): delete_message,
    ("POST", "/channels/{channel_id}/typing"): start_typing,
}
