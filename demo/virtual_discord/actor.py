"""Who does something, and where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    user_id: int
    channel_id: int
    locale: str = "en-US"
    """The language of their Discord."""
