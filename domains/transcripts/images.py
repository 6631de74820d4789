"""Which attachments the page may show as pictures: by their first bytes, never by their name."""

from __future__ import annotations

from pathlib import Path

ENOUGH_BYTES = 12


def is_inline_image(path: Path) -> bool:
    """True for PNG, JPEG, GIF and WebP: formats that can't carry script."""
    with path.open("rb") as file:
        data = file.read(ENOUGH_BYTES)
    return data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")) or (
        data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    )
