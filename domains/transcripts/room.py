"""How much of the disk the files of tickets may take, all together."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from domains.disk_space import DiskSpace, readable_size
from domains.transcripts.errors import AttachmentUnavailable
from domains.transcripts.manifest import ATTACHMENTS_NAME
from domains.transcripts.models import Attachment
from locales import Text

log = logging.getLogger(__name__)

COUNT_EVERY_S = 600.0
"""Other processes save too, and what is old is removed."""

P = ParamSpec("P")
T = TypeVar("T")


class Room:
    """`max_bytes` are the operator's choice, and what is beyond is not saved: no time would change
    that. Room on the disk is waited for."""

    def __init__(
        self, root: Path, space: DiskSpace | None = None, max_bytes: int | None = None
    ) -> None:
        self._root = root
        self._space = space or DiskSpace(root)
        self._max_bytes = max_bytes
        self._counted_bytes = 0
        self._counted_at: float | None = None
        self._added = dict[int, int]()
        """What each ticket has brought since then."""
        self._is_used_up = False
        self._lacked = dict[int, int]()
        """For which file's size a ticket's last attempt lacked the room."""

    @asynccontextmanager
    async def of_ticket(
        self, ticket_id: int, download: Callable[Concatenate[Attachment, P], T]
    ) -> AsyncGenerator[Callable[Concatenate[Attachment, P], T]]:
        """The same download, for as long as there is room for what it brings. Raises NoRoomError
        where there is none, at once where a whole attempt would end in that, too."""

        def limited(attachment: Attachment, *args: P.args, **kwargs: P.kwargs) -> T:
            self._require(ticket_id, attachment.size)
            return download(attachment, *args, **kwargs)

        await self._space.require_writable()
        if ticket_id in self._lacked:
            self._space.require(self._lacked[ticket_id])
            del self._lacked[ticket_id]
        if self._max_bytes is not None:
            await self._count()
            self._added[ticket_id] = 0  # what an earlier attempt brought was thrown away
        with self._space.writing():
            yield limited

    def _require(self, ticket_id: int, size_bytes: int) -> None:
        if self._max_bytes is not None:
            self._require_quota(ticket_id, size_bytes, self._max_bytes)
        self._lacked[ticket_id] = size_bytes
        self._space.require(size_bytes)
        del self._lacked[ticket_id]

    def _require_quota(self, ticket_id: int, size_bytes: int, max_bytes: int) -> None:
        if self._counted_bytes + sum(self._added.values()) + size_bytes > max_bytes:
            allowed = readable_size(max_bytes)
            if not self._is_used_up:
                log.warning("MAX_FILES_MB is used up: files beyond %s are not saved", allowed)
            self._is_used_up = True
            raise AttachmentUnavailable(Text("transcript.missed_no_room", {"size": allowed}))
        self._added[ticket_id] = self._added.get(ticket_id, 0) + size_bytes

    async def _count(self) -> None:
        now = time.monotonic()
        if self._counted_at is None or now - self._counted_at > COUNT_EVERY_S:
            self._counted_at = now
            self._counted_bytes = await asyncio.to_thread(_used_bytes, self._root)
            self._added.clear()


def _used_bytes(root: Path) -> int:
    total = 0
    for directory in root.glob(f"*/*/{ATTACHMENTS_NAME}"):
        try:
            total += sum(entry.stat().st_size for entry in os.scandir(directory))
        except FileNotFoundError:
            continue  # it was published or removed meanwhile
    return total
