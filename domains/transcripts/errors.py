"""What a download may say instead of bytes: why, as the page shows it."""

from __future__ import annotations

from locales import Text


class MissedError(Exception):
    """`reason` is a sentence of our own, or what the system said."""

    def __init__(self, reason: Text | str = Text("transcript.missed_gone")) -> None:  # noqa: B008
        self.reason = reason
        super().__init__(str(reason))

    def in_locale(self, locale: str) -> str:
        return self.reason if isinstance(self.reason, str) else self.reason.in_locale(locale)


class AttachmentUnavailable(MissedError):  # noqa: N818 - says what is the case
    """The attachment can't be had, now or later."""


class DownloadFailed(MissedError):  # noqa: N818 - as above
    """Worth another try."""
