"""Where transcripts are kept. The one way in for the rest of the program."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path

from domains.transcripts.archive import GuildArchive
from domains.transcripts.collecting import AttachmentCollector, Download
from domains.transcripts.erasure import TranscriptErasure
from domains.transcripts.limits import Limits
from domains.transcripts.models import SavedTranscript, TranscriptHeader, TranscriptMessage
from domains.transcripts.page import page_renderer
from domains.transcripts.recording import Recording
from domains.transcripts.room import Room
from domains.transcripts.thread import OneThread

BATCH = 100


class TranscriptStore:
    """`root/{guild_id}/{ticket_id}/index.html`, with `attachments/` and `manifest.json` beside it.

    Processes may share a root.
    """

    def __init__(
        self, root: Path, limits: Limits | None = None, *, room: Room | None = None
    ) -> None:
        self._root = root
        self._limits = limits or Limits()
        self._room = room or Room(root)

    async def save(
        self,
        header: TranscriptHeader,
        messages: AsyncIterable[TranscriptMessage],
        download: Download,
    ) -> SavedTranscript:
        """Save the whole ticket, or nothing. `messages` come oldest first.

        An attachment that can't be had, or not in time, is named in the page as missing. Anything
        else that `messages` or `download` raise goes to the caller; what has been downloaded until
        then is not downloaded again.

        NoRoomError means that the disk is too full for it, and that it may be tried again soon.

        Saving again replaces what was saved before, unless that holds more messages: then it
        stays, and is what is returned.
        """
        async with self._room.of_ticket(header.ticket_id, download) as limited:
            return await self._save(header, messages, limited)

    async def _save(
        self,
        header: TranscriptHeader,
        messages: AsyncIterable[TranscriptMessage],
        download: Download,
    ) -> SavedTranscript:
        with closing(OneThread()) as thread:
            renderer = page_renderer(header.locale)
            recording = Recording(header, self._archive(header.guild_id), renderer)
            collector = AttachmentCollector(
                download, recording.downloads, thread, self._limits, header.locale
            )

            async def add(batch: Sequence[TranscriptMessage]) -> None:
                await thread.run(recording.add, batch, await collector.collect(batch))

            try:
                await thread.run(recording.begin)
                batch: list[TranscriptMessage] = []
                async for message in messages:
                    batch.append(message)
                    if len(batch) == BATCH:
                        await add(batch)
                        batch = []
                await add(batch)
                return await thread.run(recording.publish)
            finally:
                # Shielded: a second cancellation must not leave the staged files behind.
                await asyncio.shield(thread.run(recording.discard))

    def find(self, guild_id: int, ticket_id: int) -> SavedTranscript | None:
        """What was saved for the ticket. Reads one small file."""
        return self._archive(guild_id).find(ticket_id)

    @cached_property
    def erasure(self) -> TranscriptErasure:
        """What ends a transcript, or a member's part in it."""
        return TranscriptErasure(self._root)

    def _archive(self, guild_id: int) -> GuildArchive:
        return GuildArchive(self._root / str(guild_id))
