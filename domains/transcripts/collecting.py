"""Which attachments are kept, and why the others are not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from jinja2.filters import do_filesizeformat

from domains.transcripts.conversation import Entry, KeptAttachment
from domains.transcripts.errors import AttachmentUnavailable
from domains.transcripts.filenames import safe_filename
from domains.transcripts.models import Attachment, MissedAttachment, TranscriptMessage

Download = Callable[[Attachment], Awaitable[bytes]]
Keep = Callable[[Attachment, bytes], Awaitable[KeptAttachment]]


@dataclass(frozen=True, slots=True)
class Limits:
    attachment_bytes: int
    total_bytes: int


class AttachmentCollector:
    """For one ticket: counts what was kept so far against the limits."""

    def __init__(self, download: Download, keep: Keep, limits: Limits) -> None:
        self._download = download
        self._keep = keep
        self._limits = limits
        self._kept_bytes = 0

    async def collect(self, message: TranscriptMessage) -> Entry:
        outcomes = [await self._outcome(attachment) for attachment in message.attachments]
        return Entry(
            message,
            kept=tuple(o for o in outcomes if isinstance(o, KeptAttachment)),
            missed=tuple(o for o in outcomes if isinstance(o, MissedAttachment)),
        )

    async def _outcome(self, attachment: Attachment) -> KeptAttachment | MissedAttachment:
        try:
            self._check(attachment.size)
            data = await self._download(attachment)
            self._check(len(data))  # the announced size is only what somebody said
        except AttachmentUnavailable as error:
            return _missed(attachment, str(error) or "it is no longer available")
        except OSError as error:
            cause = error.strerror or type(error).__name__
            return _missed(attachment, f"the download failed ({cause})")
        self._kept_bytes += len(data)
        return await self._keep(attachment, data)

    def _check(self, size: int) -> None:
        if size > self._limits.attachment_bytes:
            allowed = do_filesizeformat(self._limits.attachment_bytes, binary=True)
            raise AttachmentUnavailable(f"it is larger than {allowed}")
        if self._kept_bytes + size > self._limits.total_bytes:
            allowed = do_filesizeformat(self._limits.total_bytes, binary=True)
            raise AttachmentUnavailable(f"the ticket's attachments are more than {allowed}")


def _missed(attachment: Attachment, reason: str) -> MissedAttachment:
    return MissedAttachment(safe_filename(attachment.filename), attachment.size, reason)
