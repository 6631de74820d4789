"""Holds every JSON body the bot sends against Discord's own OpenAPI document.

It lies beside this file, compressed, with its licence: openapi.json of the repository
discord/discord-api-spec on GitHub. Needs no server: `validate_body("POST", "/channels/1/messages",
{...})` serves simulated tests as well.
"""

import functools
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .json_types import JsonObject, child

if TYPE_CHECKING:
    from .dialect import Dialect

JSON = "application/json"
DOCUMENT = Path(__file__).parent / "discord_openapi" / "openapi.json.gz"


def validate_body(method: str, path: str, body: object) -> list[str]:
    """What Discord's document has against this body, a line each.

    `path` starts after /api/v10. A multipart request is judged by its payload_json.
    """
    operation = _document().operation(method, path)
    if operation is None:
        return [f"{method} {path}: Discord has no such operation"]
    return operation.complaints_about_body(body)


def validate_answer(method: str, path: str, status: int, answer: object) -> list[str]:
    """The same for what Discord is said to answer: whether the stand-in tells the truth."""
    operation = _document().operation(method, path)
    if operation is None:
        return [f"{method} {path}: Discord has no such operation"]
    return operation.complaints_about_answer(status, answer)


@functools.cache
def _document() -> "Document":
    """Once in a test session: reading it takes 10 to 20 ms."""
    return Document(json.loads(gzip.decompress(DOCUMENT.read_bytes())))


class Operation:
    def __init__(self, document: "Document", method: str, template: str) -> None:
        self._name = f"{method} {template}"
        self._place = ("paths", template, method.lower())
        self._document = document
        self._definition = document.at(*self._place)

    def complaints_about_body(self, body: object) -> list[str]:
        definition = child(self._definition, "requestBody")
        if body is None:
            return [f"{self._name}: a body is required"] if definition.get("required") else []
        if not definition:
            return [f"{self._name}: this operation takes no body"]
        return self._complaints(body, "requestBody")

    def complaints_about_answer(self, status: int, answer: object) -> list[str]:
        if str(status) not in self._definition["responses"]:
            return [f"{self._name}: {status} is no answer to this"]
        return self._complaints(answer, "responses", str(status))

    def _complaints(self, value: object, *place: str) -> list[str]:
        schema_place = (*self._place, *place, "content", JSON, "schema")
        if JSON not in child(self._document.at(*self._place, *place), "content"):
            return []
        return [f"{self._name}: {line}" for line in self._document.complaints(value, schema_place)]


class Document:
    def __init__(self, document: JsonObject) -> None:
        self._document = document
        self._validators: dict[tuple[str, ...], Callable[[object], list[str]]] = {}
        self._templates: dict[int, list[tuple[str, list[str]]]] = {}
        for template in document["paths"]:
            segments = template.split("/")
            self._templates.setdefault(len(segments), []).append((template, segments))

    def operation(self, method: str, path: str) -> Operation | None:
        """The one with the most literal segments: @original is also a {message_id}."""
        segments = path.split("/")
        candidates = [
            (sum(not _is_variable(part) for part in parts), template)
            for template, parts in self._templates.get(len(segments), ())
            if method.lower() in self._document["paths"][template]
            and all(_is_variable(a) or a == b for a, b in zip(parts, segments, strict=True))
        ]
        return Operation(self, method, max(candidates)[1]) if candidates else None

    def at(self, *place: str) -> JsonObject:
        return functools.reduce(lambda node, key: node[key], place, self._document)

    def complaints(self, value: object, place: tuple[str, ...]) -> list[str]:
        if place not in self._validators:
            self._validators[place] = self._dialect.compile(*place)
        return self._validators[place](value)

    @functools.cached_property
    def _dialect(self) -> "Dialect":
        # Importing jsonschema takes longer than starting the stand-in: not before it is needed.
        from .dialect import Dialect

        return Dialect(self._document)


def _is_variable(segment: str) -> bool:
    return segment.startswith("{")
