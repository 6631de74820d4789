"""What a message says and which buttons it has, whichever way it is built: an embed of an older
version, or a card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import discord


def texts(message: discord.Message) -> Iterator[str]:
    """Each on its own: the content, an embed's title and footer, a card's texts."""
    yield message.content
    for embed in message.embeds:
        yield embed.title or ""
        yield embed.footer.text or ""
    for component in _walk(message.components):
        if isinstance(component, discord.TextDisplay):
            yield component.content


def custom_ids(message: discord.Message) -> Iterator[str]:
    """Of its buttons."""
    for component in _walk(message.components):
        if isinstance(component, discord.Button) and component.custom_id:
            yield component.custom_id


def _walk(components: Sequence[discord.Component]) -> Iterator[discord.Component]:
    for component in components:
        yield component
        match component:
            case discord.ActionRow() | discord.Container():
                yield from _walk(component.children)
            case discord.SectionComponent():
                yield from _walk([*component.children, component.accessory])
            case _:
                pass
