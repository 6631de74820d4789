"""What a download may say instead of bytes. The text is the reason that the page shows."""

from __future__ import annotations


class AttachmentUnavailable(Exception):  # noqa: N818 - says what is the case
    """The attachment can't be had, now or later."""


class DownloadFailed(Exception):  # noqa: N818 - as above
    """Worth another try."""
