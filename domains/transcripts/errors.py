"""What a download may say instead of bytes."""

from __future__ import annotations


class AttachmentUnavailable(Exception):  # noqa: N818 - says what is the case
    """The attachment can't be had, now or later. The text is the reason the page shows."""
