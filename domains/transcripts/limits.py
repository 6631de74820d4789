"""How much of a ticket's attachments is kept, and how long they may take to come.

Time goes by size: nothing is cut off that comes at `bytes_per_s`, and nothing is waited for that
does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from domains.disk_space import MIB


@dataclass(frozen=True, slots=True)
class Limits:
    attachment_bytes: int = 25 * MIB
    total_bytes: int = 250 * MIB
    """Of one ticket's attachments."""
    bytes_per_s: int = 100_000
    """The slowest that is waited for."""
    attachment_s: float = 10.0
    """How long one attempt at one attachment may take on top of that."""
    total_s: float = 80.0
    """How long all the attachments of a ticket may take on top of that."""
    attempts: int = 2
    pause_s: float = 2.0
    """Between two attempts."""
    at_once: int = 8
