"""Room on the disk under DATA_DIR, and what is done as it gets short.

PostgreSQL may live on the same disk, so the last of it is not for files: while less than a minimum
is free, what would take much of it waits. What finds no room at all waits too, whatever it is. To
wait is no failure, nothing is lost by it, and it goes on by itself once there is room.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryFile
from types import MappingProxyType
from typing import Final

from jinja2.filters import do_filesizeformat

from domains.absence import AwayError
from domains.disk_reserve import DiskReserve

log = logging.getLogger(__name__)

MIB: Final = 1024 * 1024
MIN_FREE_INODES: Final = 1_000
LOOK_EVERY_S = 5.0
PROBE_BYTES: Final = 32 * 1024
"""As much as the page of a short ticket."""
RETRY = timedelta(seconds=3)
FULL_FOR_S = 3 * RETRY.total_seconds()
"""After the last write that found no room: whatever found none has tried again by then."""
NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The disk is full, or a quota is, or a file may not grow: all of them for an operator to fix."""


class NoRoomError(AwayError):
    """There is no room for it now; it comes again soon."""

    retry_after = RETRY
    code = "no_room"
    params: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Free:
    bytes: int
    inodes: int | None = None
    """How many more files there may be; None where there is no such limit."""


def free_space(path: Path) -> Free:
    """For who is not root, on the disk where the path lies or is going to be made."""
    path = path.absolute()
    stats = os.statvfs(next(each for each in (path, *path.parents) if each.exists()))
    return Free(stats.f_bavail * stats.f_frsize, stats.f_favail if stats.f_files else None)


def readable_size(size_bytes: int) -> str:
    return do_filesizeformat(size_bytes, binary=True)


class DiskSpace:
    def __init__(
        self,
        directory: Path,
        *,
        min_free_bytes: int = 0,
        reserve: DiskReserve | None = None,
        measure: Callable[[Path], Free] = free_space,
    ) -> None:
        self._directory = directory
        self._min_free_bytes = min_free_bytes
        self._reserve = reserve
        self._measure = measure
        self._found_full_at: float | None = None
        self._problem = ""

    @property
    def problem(self) -> str:
        """What is wrong, or nothing."""
        return self._problem

    def free_bytes(self) -> int:
        return self._measure(self._directory).bytes

    def require(self, size_bytes: int) -> None:
        """Raises NoRoomError unless so much can be written and leave the minimum free."""
        free = self._measure(self._directory)
        if self._is_short(free, size_bytes):
            self._tell(f"{readable_size(free.bytes)} are free")
            raise NoRoomError(f"the disk has only {readable_size(free.bytes)} free")

    @contextmanager
    def writing(self) -> Generator[None]:
        """Raises NoRoomError instead of the error of a write that finds no room."""
        try:
            yield
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            self._found_full_at = time.monotonic()
            self._tell(f"nothing more could be written ({error.strerror})")
            raise NoRoomError(f"the disk is full: {error.strerror}") from error

    async def require_writable(self) -> None:
        """Raises NoRoomError while the disk is as full as it was a moment ago. A small file
        tells it for less than an attempt at what was to be written."""
        if self._was_just_full():
            with self.writing():
                await asyncio.to_thread(self._write_probe)

    def _write_probe(self) -> None:
        with TemporaryFile(dir=self._directory) as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()

    async def keep_watching(self) -> None:
        """For ever: to be run as a task."""
        while True:
            try:
                await asyncio.to_thread(self.look)
            except OSError as error:
                log.debug("The disk could not be looked at: %s", error)
            await asyncio.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        """Has the disk become full, or is there room again?"""
        free = self._measure(self._directory)
        if self._reserve is not None:
            self._reserve.keep(free.bytes, self._min_free_bytes)
        if self._is_short(free):
            self._tell(f"{readable_size(free.bytes)} are free")
        elif not self._was_just_full() and not self._is_short(free, self._min_free_bytes // 10):
            self._tell("")  # with some room to spare, lest it go to and fro

    def _is_short(self, free: Free, size_bytes: int = 0) -> bool:
        few_inodes = free.inodes is not None and free.inodes < MIN_FREE_INODES
        return few_inodes or free.bytes - size_bytes < self._min_free_bytes

    def _was_just_full(self) -> bool:
        found_at = self._found_full_at
        return found_at is not None and time.monotonic() - found_at < FULL_FOR_S

    def _tell(self, problem: str) -> None:
        """In the log once when it begins, and once when it is over."""
        if problem and not self._problem:
            log.warning(
                "There is too little room on the disk of %s: %s. Tickets with files stay until "
                "there is more, and then go on by themselves",
                self._directory,
                problem,
            )
        if self._problem and not problem:
            log.info("There is room again on the disk of %s", self._directory)
        self._problem = problem
