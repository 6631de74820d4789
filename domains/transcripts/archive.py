"""One guild's directory of transcripts: how a whole one appears there, and never half of one.

A transcript is built in `.{ticket_id}.{random}.part` and renamed to `{ticket_id}`. A rename can't
put a directory in the place of a full one, so a transcript that is replaced first steps aside to
`.{ticket_id}.old`. A kill between those two renames leaves it there, whole: readers look for it,
and the guild's next save puts it back.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO

from domains.transcripts.downloads import Downloads
from domains.transcripts.filesystem import exclusive, hold, is_held, sync_directory
from domains.transcripts.manifest import Manifest, load_transcript
from domains.transcripts.models import SavedTranscript

LOCK_NAME = ".lock"
LIVE_NAME = ".live"
STAGED_SUFFIX = ".part"
RETIRED_SUFFIX = ".old"
DOWNLOADS_SUFFIX = ".files"
KEEP_DOWNLOADS = timedelta(days=7)
"""A close that still fails then has had a person called for it long ago; it fetches them anew."""


class Staging:
    """A directory being filled. It holds a lock that tells other savers not to tidy it away."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._live: IO[bytes] | None = None

    def create(self) -> None:
        self.path.mkdir(mode=0o700)
        self._live = hold(self.path / LIVE_NAME)

    def complete(self) -> None:
        """Nothing more comes: take away what a transcript doesn't have, and flush the rest."""
        self._release()
        (self.path / LIVE_NAME).unlink()
        sync_directory(self.path)

    def discard(self) -> None:
        """Harmless once published, and before `create`."""
        self._release()
        shutil.rmtree(self.path, ignore_errors=True)

    def _release(self) -> None:
        if self._live is not None:
            self._live.close()


class GuildArchive:
    """Blocking, like all file work: call it from a thread."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def staging(self, ticket_id: int) -> Staging:
        """A place for a new transcript, not on disk before `open`."""
        token = secrets.token_hex(8)
        return Staging(self._directory / f".{ticket_id}.{token}{STAGED_SUFFIX}")

    def downloads(self, ticket_id: int) -> Downloads:
        """What has been fetched of its attachments, until a transcript that has them stands."""
        return Downloads(self._directory / f".{ticket_id}{DOWNLOADS_SUFFIX}")

    def open(self, staging: Staging) -> None:
        self._create()
        with exclusive(self._directory / LOCK_NAME):
            self._repair()
            staging.create()

    def publish(self, staging: Staging, ticket_id: int, manifest: Manifest) -> SavedTranscript:
        """Make the staged directory the ticket's transcript, and return what stands now.

        One that holds more messages stays: a channel half gone must not replace the whole.
        """
        final, retired = self._final(ticket_id), self._retired(ticket_id)
        with exclusive(self._directory / LOCK_NAME):
            self._put_back(retired)
            present = load_transcript(final)
            if present is not None and present.message_count > manifest.message_count:
                return present
            staging.complete()
            if final.exists():
                final.rename(retired)
            staging.path.rename(final)
            # Before the old one goes: a power cut must not undo the renames and keep the removal.
            sync_directory(self._directory)
            shutil.rmtree(retired, ignore_errors=True)
        return manifest.transcript(final)

    def find(self, ticket_id: int) -> SavedTranscript | None:
        final = self._final(ticket_id)
        # Looked for without the lock. If it was aside when we looked for it in its place, and back
        # when we looked for it aside, then the third look finds it.
        for directory in (final, self._retired(ticket_id), final):
            if (transcript := load_transcript(directory)) is not None:
                return transcript
        return None

    def ticket_ids(self) -> list[int]:
        """Of all transcripts, in their order."""
        try:
            names = [entry.name for entry in self._directory.iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return []
        aside = [name.removeprefix(".").removesuffix(RETIRED_SUFFIX) for name in names]
        return sorted({int(name) for name in aside if name.isascii() and name.isdecimal()})

    @contextmanager
    def changing(self, ticket_id: int) -> Generator[Path | None]:
        """Where the ticket's transcript is, while nobody else puts another there."""
        if not self._directory.is_dir():
            yield None
            return
        with exclusive(self._directory / LOCK_NAME):
            self._put_back(self._retired(ticket_id))
            final = self._final(ticket_id)
            yield final if final.is_dir() else None

    def delete(self, ticket_id: int) -> bool:
        """All that is here of the ticket, but what is being saved now. False if nothing is."""
        with self.changing(ticket_id) as final:
            leftovers = [
                entry
                for entry in self._unfinished()
                if entry.name.startswith(f".{ticket_id}.") and not is_held(entry / LIVE_NAME)
            ]
            for entry in [*leftovers, *([final] if final else [])]:
                shutil.rmtree(entry)
            if final is not None:
                sync_directory(self._directory)
        return final is not None

    def _create(self) -> None:
        if not self._directory.exists():
            # Only the bot's own user may read what members wrote in private.
            self._directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._directory.mkdir(mode=0o700, exist_ok=True)
            sync_directory(self._directory.parent)

    def _repair(self) -> None:
        """Undo what killed savers left: half transcripts go, those put aside come back or go."""
        long_ago = time.time() - KEEP_DOWNLOADS.total_seconds()
        for entry in self._unfinished():
            if entry.name.endswith(STAGED_SUFFIX):
                if not is_held(entry / LIVE_NAME):
                    shutil.rmtree(entry, ignore_errors=True)
            elif entry.name.endswith(RETIRED_SUFFIX):
                self._put_back(entry)
            elif entry.name.endswith(DOWNLOADS_SUFFIX) and entry.stat().st_mtime < long_ago:
                shutil.rmtree(entry, ignore_errors=True)

    def _unfinished(self) -> list[Path]:
        """Beside the transcripts, of which there may be 100,000: so no object is made for each."""
        try:
            names = os.listdir(self._directory)  # noqa: PTH208
        except FileNotFoundError:
            return []
        return [self._directory / name for name in names if name.startswith(".")]

    def _put_back(self, retired: Path) -> None:
        if not retired.exists():
            return
        final = self._directory / retired.name.removeprefix(".").removesuffix(RETIRED_SUFFIX)
        if final.exists():
            shutil.rmtree(retired, ignore_errors=True)
        else:
            retired.rename(final)

    def _final(self, ticket_id: int) -> Path:
        return self._directory / str(ticket_id)

    def _retired(self, ticket_id: int) -> Path:
        return self._directory / f".{ticket_id}{RETIRED_SUFFIX}"
