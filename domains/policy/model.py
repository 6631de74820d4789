"""The one model of what a server can set: each field with its unit, bounds and default; its
name and explanation are in `policy.po`. What shows or takes settings is made from it, so a new one
is one field here and two texts.

Every field is optional: None is "not set here".
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

NONE: Final = timedelta(0)
MONTH: Final = timedelta(days=30)
YEARS: Final = timedelta(days=3_650)
MAX_ROLES: Final = 25

RoleId = Annotated[int, Field(gt=0, lt=2**63)]


def _setting(*, unit: str, default: str, **bounds: Any) -> Any:
    """`default` is a setting of the operator's by its name, or what is done where nobody has set
    anything: a text of `policy.po`."""
    return Field(default=None, json_schema_extra={"unit": unit, "default": default}, **bounds)


class Policy(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="ignore",  # a newer version may have set more
        ser_json_timedelta="float",
        hide_input_in_errors=True,
    )

    max_open_total: int | None = _setting(
        unit="tickets",
        default="no_limit",
        ge=1,
        le=500,
    )
    max_open_per_member: int | None = _setting(
        unit="tickets",
        default="MAX_OPEN_TICKETS",
        ge=1,
        le=50,
    )
    cooldown: timedelta | None = _setting(
        unit="duration",
        default="OPEN_COOLDOWN",
        ge=NONE,
        le=MONTH,
    )
    required_roles: tuple[RoleId, ...] | None = _setting(
        unit="roles",
        default="none",
        max_length=MAX_ROLES,
    )
    forbidden_roles: tuple[RoleId, ...] | None = _setting(
        unit="roles",
        default="none",
        max_length=MAX_ROLES,
    )
    min_account_age: timedelta | None = _setting(
        unit="duration",
        default="any_age",
        ge=NONE,
        le=YEARS,
    )
    min_membership: timedelta | None = _setting(
        unit="duration",
        default="any_time",
        ge=NONE,
        le=YEARS,
    )

    def over(self, defaults: Policy) -> Policy:
        """The effective policy: what is set here, else the default."""
        return defaults.model_copy(update=self.model_dump(exclude_none=True))
