"""Files, stickers, embeds and components of a message, as the transcript keeps them.

Whatever is downloaded comes from Discord: a picture that lies with somebody else is fetched from
Discord's copy of it, never from an address that a stranger chose.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import discord

from domains.transcripts import (
    ActionRow,
    Attachment,
    Component,
    Container,
    Control,
    ControlLook,
    Embed,
    MediaGallery,
    Section,
    Separator,
    TextDisplay,
)

STICKER_EXTENSIONS = {
    discord.StickerFormatType.lottie: "json",
    discord.StickerFormatType.gif: "gif",
}

PLAIN = ControlLook.SECONDARY
LOOKS = {
    discord.ButtonStyle.primary: ControlLook.PRIMARY,
    discord.ButtonStyle.success: ControlLook.SUCCESS,
    discord.ButtonStyle.danger: ControlLook.DANGER,
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
            _picture(media.url, media.proxy_url, None)
            for media in (embed.image, embed.thumbnail)
            if media.url and media.proxy_url
        ),
        colour=embed.colour.value if embed.colour else None,
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


@dataclass(frozen=True, slots=True)
class Body:
    """What stands below a message's text."""

    components: tuple[Component, ...]
    attachments: tuple[Attachment, ...]
    """Those that no component shows."""


def body(sources: Sequence[discord.Component], uploaded: Sequence[discord.Attachment]) -> Body:
    """What is uploaded and shown by a component stands there, once."""
    reader = _ComponentReader(files(uploaded))
    components = reader.read_all(sources)
    return Body(components, tuple(reader.uploaded.values()))


class _ComponentReader:
    def __init__(self, uploaded: Sequence[Attachment]) -> None:
        self.uploaded = {attachment.id: attachment for attachment in uploaded}
        """What no component has shown yet."""
        self._uploaded_ids = frozenset(self.uploaded)

    def read_all(self, sources: Sequence[discord.Component]) -> tuple[Component, ...]:
        return tuple(part for source in sources if (part := self._read(source)) is not None)

    def _read(self, source: discord.Component) -> Component | None:  # noqa: PLR0911  # a table
        match source:
            case discord.TextDisplay():
                return TextDisplay(source.content)
            case discord.ActionRow():
                return ActionRow(self.read_all(source.children))
            case discord.Container():
                colour = source.accent_colour
                return Container(self.read_all(source.children), colour.value if colour else None)
            case discord.SectionComponent():
                texts = self.read_all(source.children)
                return Section(texts, self._read(source.accessory))
            case discord.Button():
                label = f"{source.emoji or ''} {source.label or ''}".strip()
                return Control(label or "…", source.url, LOOKS.get(source.style, PLAIN))
            case discord.SelectMenu():
                options = tuple(option.label for option in source.options)
                return Control(source.placeholder or "…", None, ControlLook.MENU, options)
            case discord.ThumbnailComponent():
                return self._media(source.media, source.description)
            case discord.MediaGalleryComponent():
                items = (self._media(item.media, item.description) for item in source.items)
                return MediaGallery(tuple(item for item in items if item is not None))
            case discord.FileComponent():
                return self._media(source.media, source.name)
            case discord.SeparatorComponent():
                return Separator(source.visible)
            case _:
                return None

    def _media(
        self, media: discord.UnfurledMediaItem, description: str | None
    ) -> Attachment | None:
        if media.attachment_id in self._uploaded_ids:
            return self.uploaded.pop(media.attachment_id, None)
        return _picture(media.url, media.proxy_url, description) if media.proxy_url else None
