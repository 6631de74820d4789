"""JSON Schema as Discord means it in its OpenAPI document.

Three liberties, or every second correct request would be called wrong: whole numbers may be sent
as strings and ids as numbers; `oneOf` is to be read as `anyOf`; and of a union only those branches
are compared that the body can mean at all: of its `type`, and knowing most of its keys. Without
the last, {"topic": <too long>} would pass as a change of a DM, which has no topic.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import (
    extend,  # pyright: ignore[reportUnknownVariableType]  jsonschema is not typed
)
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from .json_types import JsonObject

DOCUMENT_URI = "urn:discord-openapi"
SCHEMAS = "#/components/schemas/"
INTEGER = re.compile(r"-?\d+")
SHOWN_LENGTH = 160


class Validator(Protocol):
    """What a keyword gets to see of the validator that called it."""

    def descend(
        self, instance: object, schema: object, *, schema_path: int
    ) -> Iterator[ValidationError]: ...


class Checker(Protocol):
    def iter_errors(self, instance: object) -> Iterator[ValidationError]: ...


Keyword = Callable[[Validator, Any, Any, JsonObject], Iterator[ValidationError]]


class Dialect:
    def __init__(self, document: JsonObject) -> None:
        self._schemas: dict[str, JsonObject] = document["components"]["schemas"]
        resource: Resource[Any] = DRAFT202012.create_resource(document)
        self._registry: Registry[Any] = Registry[Any]().with_resource(DOCUMENT_URI, resource)
        self._checker: Callable[..., Checker] = extend(
            Draft202012Validator,
            validators={
                "type": _type,
                "minimum": _of_number("minimum"),
                "maximum": _of_number("maximum"),
                "oneOf": self._union,
                "anyOf": self._union,
            },
            type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer_type),
        )

    def compile(self, *place: str) -> Callable[[object], list[str]]:
        """Lists what is wrong with a value, by the schema at that place in the document."""
        pointer = "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in place)
        checker = self._checker({"$ref": f"{DOCUMENT_URI}#{pointer}"}, registry=self._registry)
        return lambda value: [_line(error) for error in checker.iter_errors(value)]

    def _union(
        self, validator: Validator, branches: list[JsonObject], value: Any, schema: JsonObject
    ) -> Iterator[ValidationError]:
        """Nothing if a branch fits; otherwise what the closest one has against the value."""
        closest: list[ValidationError] | None = None
        for index, branch in self._meant(branches, value):
            complaints = list(validator.descend(value, branch, schema_path=index))
            if not complaints:
                return
            if closest is None or len(complaints) < len(closest):
                closest = complaints
        yield from closest or ()

    def _meant(
        self, branches: Sequence[JsonObject], value: object
    ) -> Sequence[tuple[int, JsonObject]]:
        numbered = [
            (index, branch)
            for index, branch in enumerate(branches)
            if value is None or branch.get("type") != "null"
        ]
        if not isinstance(value, dict):
            return numbered
        body: JsonObject = value  # pyright: ignore[reportUnknownVariableType]
        properties = {index: self._properties(branch) for index, branch in numbered}
        of_its_type = [
            (index, branch)
            for index, branch in numbered
            if body.get("type") in properties[index].get("type", {}).get("enum", [body.get("type")])
        ]
        known_keys = [len(body.keys() & properties[index].keys()) for index, _ in of_its_type]
        return [
            pair
            for pair, known in zip(of_its_type, known_keys, strict=True)
            if known == max(known_keys)
        ] or numbered

    def _properties(self, branch: JsonObject) -> JsonObject:
        if "$ref" in branch:
            branch = self._schemas[branch["$ref"].removeprefix(SCHEMAS)]
        return branch.get("properties", {})


def _type(
    validator: Validator, types: Any, value: Any, schema: JsonObject
) -> Iterator[ValidationError]:
    if schema.get("format") == "snowflake" and _is_integer(value):
        return
    yield from _ORIGINAL["type"](validator, types, value, schema)


def _of_number(keyword: str) -> Keyword:
    """The same limit for a number sent as a string."""

    def check(
        validator: Validator, limit: Any, value: Any, schema: JsonObject
    ) -> Iterator[ValidationError]:
        number = int(value) if isinstance(value, str) and _is_integer(value) else value
        yield from _ORIGINAL[keyword](validator, limit, number, schema)

    return check


def _is_integer(value: object) -> bool:
    if isinstance(value, str):
        return INTEGER.fullmatch(value) is not None
    return isinstance(value, int) and not isinstance(value, bool)


def _is_integer_type(_: object, value: object) -> bool:
    """With the signature that jsonschema wants."""
    return _is_integer(value)


def _line(error: ValidationError) -> str:
    message = error.message
    if len(message) > SHOWN_LENGTH:
        message = f"{message[: SHOWN_LENGTH // 2]} … {message[-SHOWN_LENGTH // 2 :]}"
    return f"{error.json_path}: {message}"


_ORIGINAL: dict[str, Keyword] = dict(Draft202012Validator.VALIDATORS)
