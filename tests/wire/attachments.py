"""Uploaded files: kept with the message, and served over HTTP as Discord's CDN would."""

import mimetypes
from collections.abc import Mapping
from urllib.parse import quote

from .json_types import JsonObject
from .models import Attachment, Channel, File, Message
from .state import World


def received(
    world: World,
    channel: Channel,
    body: JsonObject,
    files: Mapping[int, File],
    edited: Message | None = None,
) -> list[Attachment]:
    """A message's attachments after a request: of an edited one's, those it still names."""
    already = edited.attachments if edited else []
    entries: list[JsonObject] | None = body.get("attachments")
    if entries is None:
        return already + [_store(world, channel, file) for file in files.values()]
    kept_ids = {int(entry["id"]) for entry in entries}
    kept = [attachment for attachment in already if attachment.id in kept_ids]
    descriptions = {int(entry["id"]): entry.get("description") for entry in entries}
    return kept + [
        _store(world, channel, File(file.filename, file.content, descriptions.get(index)))
        for index, file in files.items()
    ]


def download(world: World, attachment_id: int) -> Attachment | None:
    """None once the channel is gone. Discord is slower to forget, but to rely on that is a bug."""
    channel, attachment = world.attachments.get(attachment_id, (None, None))
    return None if channel is None or channel.deleted else attachment


def _store(world: World, channel: Channel, file: File) -> Attachment:
    attachment_id = world.snowflakes.next()
    # Discord's links are signed and expire, so a bot may not take the last segment for the name.
    url = (
        f"{world.origin}/attachments/{channel.id}/{attachment_id}/{quote(file.filename)}"
        f"?ex=ffffffff&is=0&hm={attachment_id:x}"
    )
    content_type = mimetypes.guess_type(file.filename)[0] or "application/octet-stream"
    attachment = Attachment(
        attachment_id, file.filename, file.content, content_type, url, file.description
    )
    world.attachments[attachment_id] = (channel, attachment)
    return attachment
