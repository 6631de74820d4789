"""What is known of a setting without its value: for whatever shows settings, or asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, cast

from pydantic.fields import FieldInfo

from domains.policy.model import Policy
from locales import Text

Unit = Literal["tickets", "duration", "roles"]
Bound = int | timedelta


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    unit: Unit
    default: str
    """A setting of the operator's by its name, or a text of `policy.po`."""
    least: Bound | None
    most: Bound | None
    """Of roles: how many."""

    @property
    def label(self) -> Text:
        return Text(f"policy.{self.name}")

    @property
    def explanation(self) -> Text:
        return Text(f"policy.{self.name}_explained")

    @property
    def default_text(self) -> Text:
        if self.default.isupper():
            return Text("policy.default_of_operator", {"setting": self.default})
        return Text(f"policy.default_{self.default}")


def settings() -> list[Setting]:
    """All there are, in the model's order."""
    return [_of(name, field) for name, field in Policy.model_fields.items()]


def setting(name: str) -> Setting:
    return _of(name, Policy.model_fields[name])


def _of(name: str, field: FieldInfo) -> Setting:
    extra = cast("dict[str, Any]", field.json_schema_extra)
    return Setting(
        name=name,
        unit=extra["unit"],
        default=extra["default"],
        least=_bound(field, "ge"),
        most=_bound(field, "le") or _bound(field, "max_length"),
    )


def _bound(field: FieldInfo, kind: str) -> Bound | None:
    found = (getattr(bound, kind) for bound in field.metadata if hasattr(bound, kind))
    return next(found, None)
