"""A file that only takes room, and is given up when there is none left: what keeps the promise can
go on for a while then, and an operator has that long to make room."""

from __future__ import annotations

import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)

NAME = "reserve"
SIZE_BYTES = 32 * 1024 * 1024
"""Two files of PostgreSQL's write-ahead log."""


class DiskReserve:
    """Blocking, like all file work."""

    def __init__(self, directory: Path, size_bytes: int = SIZE_BYTES) -> None:
        self._path = directory / NAME
        self._size_bytes = size_bytes

    def keep(self, free_bytes: int, min_free_bytes: int) -> None:
        """Give it up when less is free than it holds; make it again where much more is free than
        has to be."""
        if self._path.exists():
            if free_bytes < self._size_bytes:
                self.give_up()
                log.warning("The disk is all but full: its reserve is given up, and is the last")
        elif free_bytes > min_free_bytes + 2 * self._size_bytes:
            self._make()

    def give_up(self) -> None:
        self._path.unlink(missing_ok=True)

    def _make(self) -> None:
        try:
            with self._path.open("wb") as file:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, self._size_bytes)
                else:
                    file.write(bytes(self._size_bytes))
        except OSError as error:
            self.give_up()
            log.debug("There is no reserve on the disk: %s", error)
