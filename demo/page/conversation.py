"""A channel's messages, as one person sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from simcord.backend import serializers
from simcord.backend.models import Message
from simcord.components import walk_components

from demo.guild import DemoGuild, Person
from domains.transcripts.markdown import excerpt

TOGETHER = timedelta(minutes=5)
"""Messages of one author within this time stand below one name."""
SHOWN = 50
"""Of the last messages, as many as Discord loads at first."""
LOADING = 1 << 7
COMMAND = 2
"""The kind of an interaction that Discord names above the answer."""


@dataclass(frozen=True, slots=True)
class MessageView:
    id: int
    payload: Mapping[str, Any]
    author: str
    is_bot: bool
    at: datetime
    is_edited: bool
    is_continued: bool
    pings: bool
    is_ephemeral: bool
    is_loading: bool
    used_by: str | None
    """Who ran the command that this answers."""
    used: str
    reply: str | None
    """What it replies to, in one line."""


def conversation(guild: DemoGuild, person: Person, channel_id: int) -> list[MessageView]:
    return list(_views(guild, person, guild.messages(person, channel_id)[-SHOWN:]))


def _views(guild: DemoGuild, person: Person, messages: list[Message]) -> Iterator[MessageView]:
    last: MessageView | None = None
    for message in messages:
        last = message_view(guild, person, message, last)
        yield last


def message_view(
    guild: DemoGuild, person: Person, message: Message, last: MessageView | None = None
) -> MessageView:
    backend = guild.backend
    payload: Mapping[str, Any] = {**serializers.message_payload(backend, message)}
    at = datetime.fromisoformat(message.timestamp)
    author = backend.users[message.author_id]
    used = message.interaction_metadata or {}
    is_command = used.get("type") == COMMAND and message.reference is None
    is_continued = (
        last is not None
        and last.author == author.name
        and at - last.at < TOGETHER
        and not is_command
        and message.reference is None
        and last.is_ephemeral == message.is_ephemeral
    )
    return MessageView(
        id=message.id,
        payload=payload,
        author=author.name,
        is_bot=author.bot,
        at=at,
        is_edited=message.edited_timestamp is not None and not message.is_ephemeral,
        is_continued=is_continued,
        pings=person.id in message.ping_user_ids,
        is_ephemeral=message.is_ephemeral,
        is_loading=bool(message.flags & LOADING),
        used_by=used["user"]["username"] if is_command else None,
        used=f"/{used.get('name', '')}",
        reply=_reply(guild, payload) if message.reference is not None else None,
    )


def _reply(guild: DemoGuild, payload: Mapping[str, Any]) -> str:
    """Empty if it is gone."""
    replied: Mapping[str, Any] | None = payload.get("referenced_message")
    if replied is None:
        return ""
    components = walk_components(replied["components"])
    texts = [
        replied["content"],
        *(each.get("title") or "" for each in replied["embeds"]),
        *(each.get("content") or "" for each in components),
    ]
    said = excerpt(next((text for text in texts if text), "…"), guild.names())
    return f"{replied['author']['username']}: {said}"
