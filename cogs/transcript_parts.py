"""Files, stickers, embeds and components of a message, as the transcript keeps them.

Whatever is downloaded comes from Discord: a picture that lies with somebody else is fetched from
Discord's copy of it, never from an address that a stranger chose.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from urllib.parse import unquote, urlsplit

import discord

from domains.transcripts import Attachment, Component, Control, Embed, Text

STICKER_EXTENSIONS = {
    discord.StickerFormatType.lottie: "json",
    discord.StickerFormatType.gif: "gif",
}


def files(attachments: Sequence[discord.Attachment]) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(
            id=attachment.id,
            filename=attachment.filename,
            size=attachment.size,
            content_type=attachment.content_type,
            url=attachment.url,
            description=_described(attachment.title, attachment.description),
        )
        for attachment in attachments
    )


def _described(title: str | None, description: str | None) -> str | None:
    return " · ".join(filter(None, [title, description])) or None


def stickers(items: Sequence[discord.StickerItem]) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(
            id=sticker.id,
            filename=f"{sticker.name}.{STICKER_EXTENSIONS.get(sticker.format, 'png')}",
            size=0,
            content_type=None,
            url=sticker.url,
            description=f"Sticker: {sticker.name}",
        )
        for sticker in items
    )


def embeds(sources: Sequence[discord.Embed]) -> tuple[Embed, ...]:
    return tuple(_embed(embed) for embed in sources)


def _embed(embed: discord.Embed) -> Embed:
    return Embed(
        title=embed.title,
        description=embed.description,
        fields=tuple((field.name or "", field.value or "") for field in embed.fields),
        footer=embed.footer.text,
        url=embed.url,
        provider=embed.provider.name,
        author=embed.author.name,
        author_url=embed.author.url,
        video_url=embed.video.url,
        timestamp=embed.timestamp,
        pictures=tuple(
            _picture(media.url, media.proxy_url, "Picture")
            for media in (embed.image, embed.thumbnail)
            if media.url and media.proxy_url
        ),
    )


def _picture(url: str, proxy_url: str, description: str | None) -> Attachment:
    digest = hashlib.sha256(proxy_url.encode()).digest()
    return Attachment(
        id=int.from_bytes(digest[:8]),
        filename=unquote(urlsplit(url).path).rpartition("/")[2] or "picture",
        size=0,
        content_type=None,
        url=proxy_url,
        description=description,
    )


def components(
    sources: Sequence[discord.Component], uploaded: Sequence[discord.Attachment]
) -> tuple[Component, ...]:
    """What is shown of an uploaded file is kept once, with the message's attachments."""
    uploaded_ids = frozenset(attachment.id for attachment in uploaded)
    return tuple(_flattened(sources, uploaded_ids))


def _flattened(
    sources: Sequence[discord.Component], uploaded_ids: frozenset[int]
) -> Iterator[Component]:
    for source in sources:
        match source:
            case discord.TextDisplay():
                yield Text(source.content)
            case discord.ActionRow() | discord.Container():
                yield from _flattened(source.children, uploaded_ids)
            case discord.SectionComponent():
                yield from _flattened([*source.children, source.accessory], uploaded_ids)
            case discord.Button():
                label = f"{source.emoji or ''} {source.label or ''}".strip()
                yield Control(label or "Button", source.url)
            case discord.SelectMenu():
                options = ", ".join(option.label for option in source.options)
                yield Control(": ".join(filter(None, [source.placeholder or "Menu", options])))
            case discord.ThumbnailComponent():
                yield from _media(source.media, source.description, uploaded_ids)
            case discord.MediaGalleryComponent():
                for item in source.items:
                    yield from _media(item.media, item.description, uploaded_ids)
            case discord.FileComponent():
                yield from _media(source.media, source.name, uploaded_ids)
            case _:
                pass


def _media(
    media: discord.UnfurledMediaItem, description: str | None, uploaded_ids: frozenset[int]
) -> Iterator[Attachment]:
    if media.attachment_id not in uploaded_ids and media.proxy_url:
        yield _picture(media.url, media.proxy_url, description)
