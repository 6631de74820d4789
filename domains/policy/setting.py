"""What is known of a setting without its value: for whatever shows settings, or asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, cast

from pydantic.fields import FieldInfo

from domains.policy.model import Policy

Unit = Literal["tickets", "duration", "roles"]
Bound = int | timedelta


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    explanation: str
    unit: Unit
    default: str
    """A setting of the operator's by its name, or words."""
    least: Bound | None
    most: Bound | None
    """Of roles: how many."""

    @property
    def label(self) -> str:
        return self.name.replace("_", " ").capitalize()


def settings() -> list[Setting]:
    """All there are, in the model's order."""
    return [_of(name, field) for name, field in Policy.model_fields.items()]


def setting(name: str) -> Setting:
    return _of(name, Policy.model_fields[name])


def _of(name: str, field: FieldInfo) -> Setting:
    extra = cast("dict[str, Any]", field.json_schema_extra)
    return Setting(
        name=name,
        explanation=field.description or "",
        unit=extra["unit"],
        default=extra["default_in_words"],
        least=_bound(field, "ge"),
        most=_bound(field, "le") or _bound(field, "max_length"),
    )


def _bound(field: FieldInfo, kind: str) -> Bound | None:
    found = (getattr(bound, kind) for bound in field.metadata if hasattr(bound, kind))
    return next(found, None)
