"""Cleaning up text that people typed, before it is stored."""

from __future__ import annotations

MAX_REASON_LENGTH = 255


def sanitize(text: str | None, limit: int) -> str:
    """Trimmed and cut. PostgreSQL's text holds all but the zero byte and half a surrogate pair."""
    whole = (text or "").encode(errors="ignore").decode()
    return whole.replace("\0", "").strip()[:limit]
