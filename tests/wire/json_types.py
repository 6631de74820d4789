"""The one place where JSON stays untyped: Discord's bodies are open and differ by endpoint."""

from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]


def child(parent: JsonObject, key: str) -> JsonObject:
    """The object under a key; empty where it is missing or null."""
    return parent.get(key) or {}


def children(parent: JsonObject, key: str) -> list[JsonObject]:
    """The objects under a key; none where it is missing or null."""
    return parent.get(key) or []
