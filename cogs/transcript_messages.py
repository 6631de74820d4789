"""A Discord message as the transcript keeps it: all that a person could see of it.

What is left out, and why, is listed in the test that goes over all fields of discord.py's message.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

import discord

from cogs.transcript_parts import body, embeds, files, stickers
from domains.transcripts import Poll, Snapshot, Thread, TranscriptMessage
from locales import Text

log = logging.getLogger(__name__)

PLAIN_TYPES = frozenset(
    {
        discord.MessageType.default,
        discord.MessageType.reply,
        discord.MessageType.chat_input_command,
        discord.MessageType.context_menu_command,
    }
)
UNREADABLE = Text("transcript.unreadable")


def transcript_message(message: discord.Message) -> TranscriptMessage:
    """Never raises: a message of a kind that nobody has thought of must not keep a ticket open."""
    try:
        return _whole(message)
    except Exception:
        log.exception("Message %s could not be read whole", message.id)
        return _bare(message)


def _whole(message: discord.Message) -> TranscriptMessage:
    reference = message.reference
    is_forward = reference is not None and reference.type is discord.MessageReferenceType.forward
    below = body(message.components, message.attachments)
    return replace(
        _bare(message),
        content=_content(message),
        embeds=embeds(message.embeds),
        attachments=(*below.attachments, *stickers(message.stickers)),
        reply_to_id=reference.message_id if reference is not None and not is_forward else None,
        mentions=_mentions(message),
        components=below.components,
        forwarded=tuple(_snapshot(snapshot) for snapshot in message.message_snapshots),
        poll=_poll(message.poll),
        reactions=tuple((str(each.emoji), each.count) for each in message.reactions),
        notes=tuple(_notes(message)),
    )


def _bare(message: discord.Message) -> TranscriptMessage:
    return TranscriptMessage(
        id=message.id,
        author_id=message.author.id,
        author_name=message.author.display_name,
        author_is_bot=message.author.bot,
        sent_at=message.created_at,
        edited_at=message.edited_at,
        content=message.content,
        embeds=(),
        attachments=files(message.attachments),
        reply_to_id=None,
        mentions={},
        notes=(UNREADABLE,),
        thread=thread_of(message.channel),
    )


def thread_of(channel: object) -> Thread | None:
    """None for the ticket itself."""
    return Thread(channel.id, channel.name) if isinstance(channel, discord.Thread) else None


def _content(message: discord.Message) -> str:
    if message.type in PLAIN_TYPES:
        return message.content
    try:
        return message.system_content or message.content
    except (AttributeError, IndexError, TypeError):
        # discord.py takes for granted what may be gone, such as the message a thread began with.
        return message.content


def _snapshot(snapshot: discord.MessageSnapshot) -> Snapshot:
    below = body(snapshot.components, snapshot.attachments)
    return Snapshot(
        content=snapshot.content,
        sent_at=snapshot.created_at,
        edited_at=snapshot.edited_at,
        embeds=embeds(snapshot.embeds),
        attachments=(*below.attachments, *stickers(snapshot.stickers)),
        components=below.components,
    )


def _poll(poll: discord.Poll | None) -> Poll | None:
    if poll is None:
        return None
    return Poll(
        question=poll.question,
        answers=tuple(
            (f"{answer.emoji or ''} {answer.text}".strip(), answer.vote_count)
            for answer in poll.answers
        ),
        ends_at=poll.expires_at,
        has_ended=poll.is_finalised(),
    )


def _notes(message: discord.Message) -> Iterator[Text]:
    if message.pinned:
        yield Text("transcript.pinned")
    if message.interaction_metadata is not None:
        # With the mark of a mention, which is what is looked for when a member is forgotten.
        name = f"@{message.interaction_metadata.user.display_name}"
        yield Text("transcript.answer_to", {"name": name})
    if message.webhook_id is not None and message.interaction_metadata is None:
        yield Text("transcript.webhook")
    if message.application is not None:
        yield Text("transcript.from_app", {"name": message.application.name})
    if message.activity is not None:
        yield Text("transcript.activity")
    if message.tts:
        yield Text("transcript.read_aloud")
    if message.thread is not None:
        yield Text("transcript.thread_begins", {"name": message.thread.name})


def _mentions(message: discord.Message) -> dict[str, str]:
    mentions: dict[str, str] = {}
    asked = message.interaction_metadata
    for user in (*message.mentions, *([asked.user] if asked is not None else [])):
        mentions[f"<@{user.id}>"] = mentions[f"<@!{user.id}>"] = f"@{user.display_name}"
    for role in message.role_mentions:
        mentions[f"<@&{role.id}>"] = f"@{role.name}"
    for channel in message.channel_mentions:
        mentions[f"<#{channel.id}>"] = f"#{channel.name}"
    if message.guild is not None:
        mentions |= _mentions_in(message.message_snapshots, message.guild)
    return mentions


def _mentions_in(
    snapshots: Sequence[discord.MessageSnapshot], guild: discord.Guild
) -> dict[str, str]:
    """As far as they are of this server: discord.py does not tell what they were elsewhere."""
    mentions: dict[str, str] = {}
    for snapshot in snapshots:
        for user_id in snapshot.raw_mentions:
            if (member := guild.get_member(user_id)) is not None:
                mentions[f"<@{user_id}>"] = f"@{member.display_name}"
        for role_id in snapshot.raw_role_mentions:
            if (role := guild.get_role(role_id)) is not None:
                mentions[f"<@&{role_id}>"] = f"@{role.name}"
        for channel_id in snapshot.raw_channel_mentions:
            if (channel := guild.get_channel_or_thread(channel_id)) is not None:
                mentions[f"<#{channel_id}>"] = f"#{channel.name}"
    return mentions
