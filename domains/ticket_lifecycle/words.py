"""What people typed, as it is kept."""

from __future__ import annotations

MAX_REASON_LENGTH = 255


def kept(text: str | None, limit: int) -> str:
    """Trimmed and cut. PostgreSQL's text holds everything but the zero byte."""
    return (text or "").replace("\0", "").strip()[:limit]
