"""The bot answering an interaction: at once, deferred, by an update, by follow-ups."""

import time
from collections.abc import Mapping

from . import errors, message_rules, messages, payloads
from .interactions import Interaction, Response, ResponseType
from .json_types import JsonObject, child
from .models import File, Message, MessageFlag
from .state import World


def respond(
    world: World, interaction: Interaction, body: JsonObject, files: Mapping[int, File]
) -> None:
    """The first answer, of which there is one, and for which there are 3 seconds."""
    seconds = time.monotonic() - interaction.started
    if seconds > world.answer_within_seconds:
        raise errors.unknown("interaction")
    if interaction.response is not None:
        raise errors.already_acknowledged()
    kind = ResponseType(body["type"])
    data = child(body, "data")
    if kind is ResponseType.MESSAGE:
        _open_reply(world, interaction, data, files)
    elif kind is ResponseType.DEFERRED_MESSAGE:
        deferral = {"flags": (data.get("flags") or 0) | MessageFlag.LOADING}
        _open_reply(world, interaction, deferral, messages.NO_FILES)
    elif kind in (ResponseType.UPDATE, ResponseType.DEFERRED_UPDATE):
        interaction.original = _source(interaction)
        if kind is ResponseType.UPDATE:
            messages.edit(world, interaction.original, data, files)
    interaction.response = Response(kind, data, seconds)


def follow_up(
    world: World, interaction: Interaction, body: JsonObject, files: Mapping[int, File]
) -> Message:
    if interaction.response is None:
        raise errors.unknown("Webhook")
    original = interaction.original
    if original is not None and original.loading:
        # Discord fills in the deferred message then, and keeps the deferral's ephemeral flag.
        edit(world, original, body, files)
        return original
    return _write(world, interaction, body, files)


def find(interaction: Interaction, message_id: str) -> Message:
    """A message of this interaction, by its id or as "@original"; gone with its channel."""
    if interaction.channel.deleted:
        raise errors.unknown("Message")
    if message_id == "@original":
        if interaction.original is None or interaction.original.deleted:
            raise errors.unknown("Message")
        return interaction.original
    for message in interaction.replies:
        if str(message.id) == message_id and not message.deleted:
            return message
    raise errors.unknown("Message")


def edit(world: World, message: Message, body: JsonObject, files: Mapping[int, File]) -> None:
    if message.loading:
        message_rules.check(body)
        message_rules.check_not_empty(body, bool(files))
        message.flags &= ~MessageFlag.LOADING
    messages.edit(world, message, body, files)


def _open_reply(
    world: World, interaction: Interaction, data: JsonObject, files: Mapping[int, File]
) -> None:
    interaction.original = _write(world, interaction, data, files)


def _write(
    world: World, interaction: Interaction, body: JsonObject, files: Mapping[int, File]
) -> Message:
    if interaction.channel.deleted:
        raise errors.unknown("Channel")
    ephemeral = MessageFlag.EPHEMERAL & (body.get("flags") or 0)
    message = messages.create(
        world,
        interaction.channel,
        world.bot,
        body,
        files,
        visible_to=interaction.user if ephemeral else None,
        interaction_metadata=_metadata(interaction),
    )
    interaction.replies.append(message)
    return message


def _source(interaction: Interaction) -> Message:
    if interaction.source is None:
        raise errors.invalid_form("type", "BASE_TYPE_CHOICES", "There is no message to update.")
    if interaction.source.deleted:
        raise errors.unknown("Message")
    return interaction.source


def _metadata(interaction: Interaction) -> JsonObject:
    metadata: JsonObject = {
        "id": str(interaction.id),
        "type": int(interaction.type),
        "user": payloads.user(interaction.user),
        "authorizing_integration_owners": payloads.integration_owners(interaction.channel),
    }
    if interaction.opened_by is not None:
        metadata["triggering_interaction_metadata"] = _metadata(interaction.opened_by)
    elif interaction.source is not None:
        metadata["interacted_message_id"] = str(interaction.source.id)
    return metadata
