"""The connection to Discord, as far as an operator asks about it."""

from __future__ import annotations

import math
from typing import Protocol


class Gateway(Protocol):
    """A discord.py client is one."""

    def is_ready(self) -> bool: ...

    @property
    def latency(self) -> float:
        """Seconds from a heartbeat to its answer; not finite while there is no connection."""
        ...


def latency_of(gateway: Gateway) -> float | None:
    """None while Discord is not connected, or not yet ready."""
    if not gateway.is_ready() or not math.isfinite(gateway.latency):
        return None
    return gateway.latency
