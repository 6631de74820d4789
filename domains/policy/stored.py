"""A policy as JSON, as PostgreSQL keeps it: durations in seconds, only what is set."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from domains.policy.model import Policy

log = logging.getLogger(__name__)


def read(stored: str) -> Policy:
    """What can't be understood counts as not set: a value written by hand, or by another version,
    must not keep a whole server from opening tickets."""
    values: dict[str, Any] = json.loads(stored)
    try:
        return Policy.model_validate(values)
    except ValidationError as error:
        wrong = {str(detail["loc"][0]) for detail in error.errors() if detail["loc"]}
        log.warning(
            "A server's policy has values that cannot be used: %s", ", ".join(sorted(wrong))
        )
        return Policy.model_validate({k: v for k, v in values.items() if k not in wrong})


def write(changes: Mapping[str, object]) -> tuple[str, list[str]]:
    """What is to be set, as JSON, and the names of what is no longer set (None).

    Raises pydantic's ValidationError.
    """
    policy = Policy.model_validate(dict(changes))
    unset = [name for name, value in changes.items() if value is None]
    return policy.model_dump_json(exclude_none=True), unset
