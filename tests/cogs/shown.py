"""All that a message shows, as text: whether it is plain, an embed or a card."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import discord
from simcord import ResponseMessage

Json = dict[str, Any]
BUTTON, TEXT_DISPLAY = 2, 10


def shown(message: discord.Message | ResponseMessage) -> str:
    """A line each: its content, its embeds from title to footer, and its components from top to
    bottom, buttons and menus in brackets."""
    return "\n".join([*_texts(message), *(f"[{label}]" for label in buttons(message))])


def words(message: discord.Message | ResponseMessage) -> str:
    """`shown`, but for its buttons and menus."""
    return "\n".join(_texts(message))


def field(message: discord.Message | ResponseMessage, name: str) -> str | None:
    """What stands beside the name; None if it does not stand there."""
    begin = f"**{name}:** "
    lines = words(message).split("\n")
    return next((line.removeprefix(begin) for line in lines if line.startswith(begin)), None)


def buttons(message: discord.Message | ResponseMessage) -> list[str]:
    """What stands on its buttons, and in its menus before something is chosen."""
    labels = (each.get("label") or each.get("placeholder") for each in _components(message))
    return [label for label in labels if label]


def custom_ids(message: discord.Message | ResponseMessage) -> dict[str, str]:
    """Of its buttons, by what stands on them."""
    return {
        each["label"]: each["custom_id"]
        for each in _components(message)
        if each["type"] == BUTTON and each.get("custom_id")
    }


def _texts(message: discord.Message | ResponseMessage) -> Iterator[str]:
    for text in _all_texts(message):
        if text:
            yield text


def _all_texts(message: discord.Message | ResponseMessage) -> Iterator[str | None]:
    yield message.content
    for embed in message.embeds:
        yield embed.title
        yield embed.description
        for field in embed.fields:
            yield field.name
            yield field.value
        yield embed.footer.text
    for component in _components(message):
        if component["type"] == TEXT_DISPLAY:
            yield component["content"]


def _components(message: discord.Message | ResponseMessage) -> Iterator[Json]:
    for component in message.components:
        as_json = component if isinstance(component, dict) else component.to_dict()
        yield from _walk(cast("Json", as_json))


def _walk(component: Json) -> Iterator[Json]:
    yield component
    for child in component.get("components") or ():
        yield from _walk(child)
    for single in ("accessory", "component"):
        if nested := component.get(single):
            yield from _walk(nested)
