"""A Discord message as the transcript keeps it."""

from __future__ import annotations

import discord

from domains.transcripts import Attachment, Embed, TranscriptMessage


def transcript_message(message: discord.Message) -> TranscriptMessage:
    reference = message.reference
    return TranscriptMessage(
        id=message.id,
        author_id=message.author.id,
        author_name=message.author.display_name,
        author_is_bot=message.author.bot,
        sent_at=message.created_at,
        edited_at=message.edited_at,
        content=message.system_content or "",
        embeds=tuple(_embed(embed) for embed in message.embeds),
        attachments=tuple(_attachment(attachment) for attachment in message.attachments),
        reply_to_id=reference.message_id if reference is not None else None,
        mentions=_mentions(message),
    )


def _embed(embed: discord.Embed) -> Embed:
    return Embed(
        title=embed.title,
        description=embed.description,
        fields=tuple((field.name or "", field.value or "") for field in embed.fields),
        footer=embed.footer.text,
        url=embed.url,
    )


def _attachment(attachment: discord.Attachment) -> Attachment:
    return Attachment(
        id=attachment.id,
        filename=attachment.filename,
        size=attachment.size,
        content_type=attachment.content_type,
        url=attachment.url,
    )


def _mentions(message: discord.Message) -> dict[str, str]:
    mentions: dict[str, str] = {}
    for user in message.mentions:
        mentions[f"<@{user.id}>"] = mentions[f"<@!{user.id}>"] = f"@{user.display_name}"
    for role in message.role_mentions:
        mentions[f"<@&{role.id}>"] = f"@{role.name}"
    for channel in message.channel_mentions:
        mentions[f"<#{channel.id}>"] = f"#{channel.name}"
    return mentions
