"""The attachments of a ticket, as they come: each a file of its own, named by the attachment's id.

They outlive the save that fetched them: when it fails, the next one finds them and fetches only
the rest. A published transcript has links to them, and they go.
"""

from __future__ import annotations

import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from typing import IO

from domains.transcripts.filesystem import flush_to_disk, sync_directory

UNFINISHED_SUFFIX = ".part"


class Downloads:
    """Blocking, like all file work. Nothing is on disk before the first download."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def begin(self, attachment_id: int) -> Incoming:
        """Touches no disk yet."""
        return Incoming(self._path(attachment_id))

    def size_of(self, attachment_id: int) -> int | None:
        """None if it has not been fetched yet."""
        try:
            return self._path(attachment_id).stat().st_size
        except FileNotFoundError:
            return None

    def put(self, attachment_id: int, path: Path) -> None:
        """It is in both places then; on file systems without links it is copied."""
        source = self._path(attachment_id)
        try:
            path.hardlink_to(source)
        except (OSError, NotImplementedError):
            with source.open("rb") as original, path.open("wb") as copy:
                shutil.copyfileobj(original, copy)
                flush_to_disk(copy)

    def discard(self) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)

    def _path(self, attachment_id: int) -> Path:
        return self._directory / str(attachment_id)


class Incoming:
    """One download. Two processes may be at the same one: each has a file of its own."""

    def __init__(self, final: Path) -> None:
        self._final = final
        self._path = final.with_name(f"{final.name}.{secrets.token_hex(4)}{UNFINISHED_SUFFIX}")
        self._file: IO[bytes] | None = None

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            self._file = self._path.open("wb")
        return self._file

    def write(self, data: bytes) -> None:
        self._opened().write(data)

    def complete(self) -> None:
        file = self._opened()
        flush_to_disk(file)
        file.close()
        self._path.rename(self._final)
        sync_directory(self._final.parent)

    def discard(self) -> None:
        """Harmless once it is complete, or before anything came."""
        if self._file is None:
            return
        with suppress(OSError):  # a full disk: what is still buffered can't be written
            self._file.close()
        with suppress(FileNotFoundError):
            self._path.unlink()
        with suppress(OSError):
            self._final.parent.rmdir()  # only if there is nothing in it
