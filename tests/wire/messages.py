"""Messages being written, changed, deleted and listed."""

import copy
import itertools
import time
from collections.abc import Mapping

from . import attachments, errors, mentions, message_rules, payloads, snowflakes
from .json_types import JsonObject, children
from .models import Channel, File, Guild, Message, MessageFlag, User, walk
from .permissions import Permission
from .state import World

NO_FILES: Mapping[int, File] = {}
NONCE_SECONDS = 300.0  # Discord says "the past few minutes"
SETTABLE_FLAGS = (
    MessageFlag.EPHEMERAL
    | MessageFlag.LOADING
    | MessageFlag.COMPONENTS_V2
    | MessageFlag.SUPPRESS_EMBEDS
    | MessageFlag.SUPPRESS_NOTIFICATIONS
)


def create(
    world: World,
    channel: Channel,
    author: User,
    body: JsonObject,
    files: Mapping[int, File] = NO_FILES,
    *,
    visible_to: User | None = None,
    interaction_metadata: JsonObject | None = None,
) -> Message:
    """A message only one user sees is no part of the channel's history and pings nobody."""
    flags = MessageFlag(body.get("flags") or 0) & SETTABLE_FLAGS
    message_rules.check(body)
    if MessageFlag.LOADING not in flags:
        message_rules.check_not_empty(body, bool(files))
    if (earlier := _sent_before(world, author, body)) is not None:
        return earlier
    reply_to = _reply_target(channel, body.get("message_reference"))
    message = Message(
        world.snowflakes.next(),
        channel,
        author,
        content=body.get("content") or "",
        embeds=children(body, "embeds"),
        components=numbered(children(body, "components")),
        attachments=attachments.received(world, channel, body, files),
        flags=flags,
        nonce=body.get("nonce"),
        reply_to=reply_to,
        interaction_metadata=interaction_metadata,
        visible_to=visible_to,
    )
    if visible_to is None:
        message.pings = _pings(world, message, body)
        channel.messages[message.id] = message
        _remember_nonce(world, message)
        _announce(world, "MESSAGE_CREATE", message)
    return message


def edit(
    world: World, message: Message, body: JsonObject, files: Mapping[int, File] = NO_FILES
) -> None:
    """Changes what the body names. Pings nobody: Discord does not notify for an edit."""
    message_rules.check(body)
    if "content" in body:
        message.content = body["content"] or ""
    if "embeds" in body:
        message.embeds = children(body, "embeds")
    if "components" in body:
        message.components = numbered(children(body, "components"))
    if "attachments" in body or files:
        message.attachments = attachments.received(world, message.channel, body, files, message)
    if body.get("flags") is not None:
        kept = message.flags & (MessageFlag.EPHEMERAL | MessageFlag.LOADING)
        message.flags = kept | MessageFlag(body["flags"]) & SETTABLE_FLAGS
    message.edited_at = snowflakes.now()
    if message.visible_to is None:
        _announce(world, "MESSAGE_UPDATE", message)


def delete(world: World, message: Message) -> None:
    message.deleted = True
    if message.visible_to is None:
        del message.channel.messages[message.id]
        world.emit("MESSAGE_DELETE", _place(message) | {"id": str(message.id)})


def history(
    channel: Channel,
    *,
    limit: int = 50,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
) -> list[Message]:
    """Newest first, always. `after` takes those next to it, not the newest of the channel."""
    oldest_first = list(channel.messages.values())
    if around is not None:
        older = [message for message in oldest_first if message.id < around]
        rest = [message for message in oldest_first if message.id >= around]
        half = limit // 2
        chosen = older[max(len(older) - half, 0) :] + rest[: limit - half]
    elif after is not None:
        chosen = [message for message in oldest_first if message.id > after][:limit]
    elif before is not None:
        chosen = [message for message in oldest_first if message.id < before][-limit:]
    else:
        chosen = oldest_first[-limit:]
    return chosen[::-1]


def numbered(components: list[JsonObject]) -> list[JsonObject]:
    """A copy, with the ids that Discord gives to components which have none."""
    copied, numbers = copy.deepcopy(components), itertools.count(1)
    for component in walk(copied):
        component["id"] = component.get("id") or next(numbers)
    return copied


def visible_payload(world: World, message: Message) -> JsonObject:
    """As the REST API shows it to the application."""
    payload = payloads.message(message)
    if world.content_intent or _content_is_open(world, message):
        return payload
    return payloads.without_content(payload)


def _announce(world: World, event: str, message: Message) -> None:
    data = payloads.message(message) | _place(message)
    guild = _guild(world, message.channel)
    if guild is not None and (member := guild.members.get(message.author.id)) is not None:
        data["member"] = {
            key: value for key, value in payloads.member(member).items() if key != "user"
        }
    if _content_is_open(world, message):
        world.emit(event, data)
    else:
        world.emit(event, data, payloads.without_content(data))


def _content_is_open(world: World, message: Message) -> bool:
    """The bot's own messages, its DMs and what mentions it need no message content intent."""
    return (
        message.author is world.bot
        or message.channel.guild_id is None
        or world.bot in message.pings.users
    )


def _place(message: Message) -> JsonObject:
    place: JsonObject = {"channel_id": str(message.channel.id)}
    if message.channel.guild_id is not None:
        place["guild_id"] = str(message.channel.guild_id)
    return place


def _guild(world: World, channel: Channel) -> Guild | None:
    return None if channel.guild_id is None else world.guilds[channel.guild_id]


def _pings(world: World, message: Message, body: JsonObject) -> mentions.Pings:
    guild = _guild(world, message.channel)
    may_ping_everyone = False
    if guild is not None and (member := guild.members.get(message.author.id)) is not None:
        held = world.permissions(member, message.channel)
        may_ping_everyone = Permission.MENTION_EVERYONE in held
    return mentions.pings_of(
        body,
        guild=guild,
        users=world.users,
        may_ping_everyone=may_ping_everyone,
        reply_to=message.reply_to.author if message.reply_to else None,
    )


def _reply_target(channel: Channel, reference: JsonObject | None) -> Message | None:
    if reference is None:
        return None
    target = channel.messages.get(int(reference.get("message_id") or 0))
    if target is None and reference.get("fail_if_not_exists") is not False:
        raise errors.invalid_form("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
    return target


def _sent_before(world: World, author: User, body: JsonObject) -> Message | None:
    """The message a repeated enforced nonce stands for.

    Deleted meanwhile, it is not sent again either: Discord answers Unknown Message
    (discord-api-docs pull request 6647).
    """
    if not body.get("enforce_nonce") or body.get("nonce") is None:
        return None
    sent_at, message = world.nonces.get((author.id, str(body["nonce"])), (0.0, None))
    if message is None or time.monotonic() - sent_at > NONCE_SECONDS:
        return None
    if message.deleted:
        raise errors.unknown("Message")
    return message


def _remember_nonce(world: World, message: Message) -> None:
    if message.nonce is not None:
        key = (message.author.id, str(message.nonce))
        world.nonces[key] = (time.monotonic(), message)
