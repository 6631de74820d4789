"""One REST request of the bot, as it is answered and as tests find it in the log."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import errors
from .json_types import JsonObject
from .models import File


@dataclass(eq=False, slots=True)
class Call:
    """`path` starts after /api/v10; `status` is None until, and unless, it was answered."""

    method: str
    path: str
    variables: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    files: Mapping[int, File]
    reason: str | None
    authorization: str | None
    status: int | None = None
    answer: Any = field(default=None, repr=False)

    @property
    def json(self) -> JsonObject:
        if not isinstance(self.body, dict):
            raise errors.invalid_json()
        return self.body  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]

    @property
    def json_list(self) -> list[JsonObject]:
        if not isinstance(self.body, list):
            raise errors.invalid_json()
        return self.body  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]

    def id(self, name: str) -> int:
        return _snowflake(name, self.variables[name])

    def query_id(self, name: str) -> int | None:
        value = self.query.get(name)
        return None if value is None else _snowflake(name, value)

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status or 'no answer'}"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any = None


NO_CONTENT = Answer(204)


def ok(body: Any) -> Answer:
    return Answer(200, body)


def created(body: Any) -> Answer:
    return Answer(201, body)


def _snowflake(name: str, value: str) -> int:
    if not value.isdecimal():
        raise errors.invalid_form(name, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')
    return int(value)
