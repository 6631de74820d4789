"""Which attachments may be shown as pictures: by their first bytes, never by their name."""

from __future__ import annotations

from pathlib import Path

ENOUGH_BYTES = 12
SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


def image_type(path: Path) -> str | None:
    """Of PNG, JPEG, GIF and WebP: formats that can't carry script."""
    with path.open("rb") as file:
        data = file.read(ENOUGH_BYTES)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((type_ for begin, type_ in SIGNATURES.items() if data.startswith(begin)), None)


def is_inline_image(path: Path) -> bool:
    return image_type(path) is not None
