"""A modal that was filled in, as Discord sends it to the bot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simcord.backend import Backend
from simcord.backend.errors import SetupError
from simcord.enums import SELECT_TYPES, ComponentType

from demo.virtual_discord.actor import Actor
from demo.virtual_discord.options import Resolved, resolve

Values = Mapping[str, Sequence[str]]
"""By custom_id: one text, or what was chosen."""


class Form:
    def __init__(self, backend: Backend, actor: Actor, values: Values) -> None:
        self._backend = backend
        self._actor = actor
        self._values = values
        self.resolved: Resolved = {}

    def fill_in(self, nodes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Raises SetupError for what Discord's client would not let a member send."""
        return [self._node(node) for node in nodes]

    def _node(self, node: Mapping[str, Any]) -> dict[str, Any]:
        kind = node["type"]
        filled: dict[str, Any] = {"type": kind, "id": node.get("id", 0)}
        match kind:
            case ComponentType.TEXT_DISPLAY:
                return filled
            case ComponentType.ACTION_ROW:
                return filled | {"components": self.fill_in(node["components"])}
            case ComponentType.LABEL:
                return filled | {"component": self._node(node["component"])}
            case _:
                return filled | {"custom_id": node["custom_id"]} | self._answer(kind, node)

    def _answer(self, kind: int, node: Mapping[str, Any]) -> dict[str, Any]:
        given = [value for value in self._values.get(node["custom_id"], ()) if value]
        if not given and node.get("required", kind == ComponentType.TEXT_INPUT):
            raise SetupError("Something that is needed is not filled in.")
        match kind:
            case ComponentType.TEXT_INPUT:
                return {"value": _text("".join(given), node)}
            case ComponentType.RADIO_GROUP:
                return {"value": _offered(given, node)[0] if given else None}
            case ComponentType.CHECKBOX:
                return {"value": bool(given)}
            case ComponentType.STRING_SELECT | ComponentType.CHECKBOX_GROUP:
                return {"values": _offered(given, node)}
            case _ if kind in SELECT_TYPES:
                return {"values": [value for value in given if self._resolve(value)]}
            case _:
                return {"values": []}  # no files are uploaded here

    def _resolve(self, value: str) -> bool:
        return value.isdecimal() and resolve(self._backend, self._actor, int(value), self.resolved)


def _text(text: str, node: Mapping[str, Any]) -> str:
    most, least = node.get("max_length") or 4000, node.get("min_length") or 0
    if len(text) > most or (text and len(text) < least):
        raise SetupError(f"That must have between {least} and {most} characters.")
    return text


def _offered(given: Sequence[str], node: Mapping[str, Any]) -> list[str]:
    options = {option["value"] for option in node.get("options") or ()}
    if not options.issuperset(given):
        raise SetupError("That is not one of the choices.")
    return list(given)
