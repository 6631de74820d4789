"""Forms that work after any restart, as all buttons do.

discord.py would keep each form in memory until it is sent, and most who look at one never do. So
it keeps none: what is written in one comes to whoever listens for interactions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import discord


class Form(discord.ui.Modal):
    PREFIX: str

    def __init__(self, interaction: discord.Interaction[Any], title: str, *about: int) -> None:
        """`about` comes back with what is written. Each form has an id of its own besides: phones
        fill in again what was written under the same."""
        ids = ":".join(map(str, (*about, interaction.id)))
        super().__init__(title=title, custom_id=f"{self.PREFIX}:{ids}")
        self.stop()


@dataclass(frozen=True, slots=True)
class Submitted:
    about: tuple[int, ...]
    values: Mapping[str, str]
    """By the custom_ids of the inputs."""


def submitted(interaction: discord.Interaction[Any], form: type[Form]) -> Submitted | None:
    """None if it is not such a form that was sent."""
    data = cast("dict[str, Any]", interaction.data or {})
    custom_id = str(data.get("custom_id", ""))
    if interaction.type is not discord.InteractionType.modal_submit:
        return None
    if not custom_id.startswith(f"{form.PREFIX}:"):
        return None
    ids = custom_id.removeprefix(f"{form.PREFIX}:").split(":")
    if not all(id_.isascii() and id_.isdecimal() and len(id_) < 20 for id_ in ids):
        return None
    return Submitted(tuple(int(id_) for id_ in ids[:-1]), dict(_values(data)))


def _values(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Inputs stand in rows, or below labels."""
    for row in data.get("components", []):
        for each in row.get("components", [row.get("component", {})]):
            yield str(each.get("custom_id", "")), str(each.get("value") or "")
