"""Fetches the attachments of a ticket, and says of each that can't be had why that is so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from time import monotonic
from typing import Any, TypeVar, cast

from domains.transcripts.downloads import Downloads
from domains.transcripts.errors import AttachmentUnavailable, DownloadFailed
from domains.transcripts.filenames import safe_filename
from domains.transcripts.limits import Limits
from domains.transcripts.models import Attachment, MissedAttachment, TranscriptMessage
from domains.transcripts.quota import Quota, Share
from domains.transcripts.thread import OneThread
from locales import Text

T = TypeVar("T")

Download = Callable[[Attachment], AsyncIterator[bytes]]
"""Piece by piece. Raises AttachmentUnavailable, DownloadFailed or OSError where it can't be had."""
Missed = Mapping[Attachment, MissedAttachment]


class AttachmentCollector:
    """For one ticket: counts what came so far, and how long it took, against the limits."""

    def __init__(
        self,
        download: Download,
        downloads: Downloads,
        thread: OneThread,
        limits: Limits,
        locale: str,
    ) -> None:
        """Why something is missed is said in the language `locale`."""
        self._download = download
        self._downloads = downloads
        self._thread = thread
        self._limits = limits
        self._locale = locale
        self._quota = Quota(limits)
        self._slots = asyncio.Semaphore(limits.at_once)
        self._began = monotonic()
        self._spent_s = 0.0

    async def collect(self, messages: Sequence[TranscriptMessage]) -> Missed:
        """What is not missed is in the downloads. Anything that says nothing about one attachment
        alone (a full disk, no Discord at all) is raised."""
        wanted = list(dict.fromkeys(a for message in messages for a in message.all_attachments))
        self._began = monotonic() - self._spent_s
        reasons = await _all([self._reason_missed(attachment) for attachment in wanted])
        self._spent_s = monotonic() - self._began
        return {
            attachment: MissedAttachment(
                safe_filename(attachment.filename), attachment.size, reason
            )
            for attachment, reason in zip(wanted, reasons, strict=True)
            if reason is not None
        }

    async def _reason_missed(self, attachment: Attachment) -> str | None:
        """None once it has come."""
        try:
            share = self._quota.share(attachment.size)
        except AttachmentUnavailable as error:
            return error.in_locale(self._locale)
        try:
            if (size := await self._thread.run(self._downloads.size_of, attachment.id)) is not None:
                share.receive(size)
            else:
                async with self._slots:
                    await self._fetch(attachment, share)
        except AttachmentUnavailable as error:
            share.begin_anew()
            return error.in_locale(self._locale)
        except DownloadFailed as error:
            return error.in_locale(self._locale)
        finally:
            share.settle()
        return None

    async def _fetch(self, attachment: Attachment, share: Share) -> None:
        for attempts_left in reversed(range(self._limits.attempts)):
            try:
                return await self._try_to_fetch(attachment, share)
            except DownloadFailed:
                share.begin_anew()
                if not attempts_left:
                    raise
            await asyncio.sleep(self._limits.pause_s)
        raise AssertionError

    async def _try_to_fetch(self, attachment: Attachment, share: Share) -> None:
        began = monotonic()
        if self._time_left(began, share) <= 0:
            raise DownloadFailed(Text("transcript.missed_no_time"))
        # It is one if it was made by `yield`, and then it has to be closed.
        stream = cast("AsyncGenerator[bytes]", self._download(attachment))
        incoming = self._downloads.begin(attachment.id)
        try:
            async with aclosing(stream):
                while (data := await self._next(stream, began, share)) is not None:
                    share.receive(len(data))
                    await self._thread.run(incoming.write, data)
            await self._thread.run(incoming.complete)
        finally:
            await asyncio.shield(self._thread.run(incoming.discard))

    async def _next(self, stream: AsyncIterator[bytes], began: float, share: Share) -> bytes | None:
        limit = asyncio.timeout(self._time_left(began, share))
        try:
            async with limit:
                return await anext(stream, None)
        except OSError as error:  # TimeoutError is one
            if limit.expired():
                raise DownloadFailed(Text("transcript.missed_slow")) from error
            cause = error.strerror or type(error).__name__
            raise DownloadFailed(Text("transcript.missed_failed", {"error": cause})) from error

    def _time_left(self, began: float, share: Share) -> float:
        """Grows with what has come. Both the attachment's and the ticket's time count."""
        limits = self._limits
        ends = began + limits.attachment_s + share.received / limits.bytes_per_s
        all_end = self._began + limits.total_s + self._quota.received / limits.bytes_per_s
        return min(ends, all_end) - monotonic()


async def _all(fetches: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """At once; if one of them raises, the others are cancelled, and that is what is raised."""
    tasks = [asyncio.create_task(fetch) for fetch in fetches]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
