"""The one model of what a server can set: each field with its explanation, unit, bounds and
default. What shows or takes settings is made from it, so a new one is one field here.

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


def _setting(explanation: str, *, unit: str, default: str, **bounds: Any) -> Any:
    """`default` is a setting of the operator's by its name, or what is done where nobody has set
    anything, in words."""
    return Field(
        default=None,
        description=explanation,
        json_schema_extra={"unit": unit, "default_in_words": default},
        **bounds,
    )


class Policy(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="ignore",  # a newer version may have set more
        ser_json_timedelta="float",
        hide_input_in_errors=True,
    )

    max_open_total: int | None = _setting(
        "Most tickets that are open in this server at once",
        unit="tickets",
        default="no limit",
        ge=1,
        le=500,
    )
    max_open_per_member: int | None = _setting(
        "Most tickets that one member has open here at once",
        unit="tickets",
        default="MAX_OPEN_TICKETS",
        ge=1,
        le=50,
    )
    cooldown: timedelta | None = _setting(
        "How long a member who has opened a ticket waits before they can open another",
        unit="duration",
        default="OPEN_COOLDOWN",
        ge=NONE,
        le=MONTH,
    )
    required_roles: tuple[RoleId, ...] | None = _setting(
        "A member needs one of these roles to open a ticket",
        unit="roles",
        default="none",
        max_length=MAX_ROLES,
    )
    forbidden_roles: tuple[RoleId, ...] | None = _setting(
        "A member with one of these roles cannot open a ticket",
        unit="roles",
        default="none",
        max_length=MAX_ROLES,
    )
    min_account_age: timedelta | None = _setting(
        "How old a member's Discord account has to be",
        unit="duration",
        default="any age",
        ge=NONE,
        le=YEARS,
    )
    min_membership: timedelta | None = _setting(
        "How long a member has to have been in this server",
        unit="duration",
        default="any time",
        ge=NONE,
        le=YEARS,
    )

    def over(self, defaults: Policy) -> Policy:
        """The effective policy: what is set here, else the default."""
        return defaults.model_copy(update=self.model_dump(exclude_none=True))
