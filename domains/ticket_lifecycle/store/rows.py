"""Rows as the frozen dataclasses of this domain."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final, TypeVar

from domains.policy import stored
from domains.ticket_lifecycle.models import (
    Block,
    CloseCause,
    CloseRequest,
    GuildSettings,
    RequestStatus,
    Ticket,
    TicketEvent,
    TicketStatus,
)

if TYPE_CHECKING:
    import asyncpg

Row = TypeVar("Row")

_CONVERSIONS: Final[dict[tuple[type, str], Callable[[Any], object]]] = {
    (Ticket, "status"): TicketStatus,
    (Ticket, "close_cause"): CloseCause,
    (Ticket, "attention"): json.loads,
    (CloseRequest, "status"): RequestStatus,
    (GuildSettings, "support_role_ids"): tuple,
    (GuildSettings, "policy"): stored.read,
    (TicketEvent, "params"): json.loads,
}


def _columns(model: type, table: str) -> str:
    """All of them, by name: `*` would be another row once a newer version has added a column."""
    return ", ".join(f"{table}.{field.name}" for field in fields(model))


TICKET: Final = _columns(Ticket, "t")
REQUEST: Final = _columns(CloseRequest, "r")
GUILD: Final = _columns(GuildSettings, "g")
BLOCK: Final = _columns(Block, "b")


def read(model: type[Row], record: asyncpg.Record, prefix: str = "") -> Row:
    values: dict[str, object] = {}
    for field in fields(model):  # type: ignore[arg-type]  # every model is a dataclass
        value = record[prefix + field.name]
        convert = _CONVERSIONS.get((model, field.name))
        values[field.name] = value if value is None or convert is None else convert(value)
    return model(**values)


def read_one(model: type[Row], record: asyncpg.Record | None) -> Row | None:
    return None if record is None else read(model, record)
