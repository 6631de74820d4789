"""Writes that survive a power cut, and locks that die with the process that holds them."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import IO

if sys.platform != "win32":
    import fcntl


def write_text_durably(path: Path, chunks: Iterable[str]) -> None:
    # newline="": the page's style is allowed by its hash, so no newline may be translated.
    # A lone surrogate is no character at all; "replace" keeps it from losing the transcript.
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        file.writelines(chunks)
        flush_to_disk(file)


def replace_text_durably(path: Path, chunks: Iterable[str]) -> None:
    """The old or the new content, never half of one."""
    draft = path.with_name(f".{path.name}.new")
    write_text_durably(draft, chunks)
    draft.replace(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make created and renamed entries durable. Windows can't, and does so by itself."""
    if sys.platform != "win32":
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def exclusive(path: Path) -> Generator[None]:
    """Hold the lock file, waiting for whoever has it. On Windows one process is assumed."""
    with path.open("ab") as file:
        if sys.platform != "win32":
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def hold(path: Path) -> IO[bytes]:
    """Create the lock file and hold it until the returned file is closed, or we are killed."""
    file = path.open("ab")
    if sys.platform != "win32":
        fcntl.flock(file, fcntl.LOCK_EX)
    return file


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock. Windows can't tell, so it says yes."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return False
    with file:
        if sys.platform == "win32":
            return True
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def flush_to_disk(file: IO[str] | IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())
