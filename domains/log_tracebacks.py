"""A failure that comes again every second is one traceback, and then a line each time."""

from __future__ import annotations

import copy
import logging
import sys
import time
import traceback
from collections.abc import Hashable
from pathlib import Path
from typing import TextIO

_ROOT = str(Path(__file__).resolve().parent.parent)
SHOWN_AGAIN_AFTER_S = 600.0
MOST_PLACES = 1_000
LONGEST_TEXT = 300


class OnceTracebackHandler(logging.StreamHandler[TextIO]):
    """To stderr. Says everything, but the traceback from one place every ten minutes only."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self._shown: dict[Hashable, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and self._was_shown(record, error):
            record = copy.copy(record)
            text = " ".join(str(error).split())[:LONGEST_TEXT]
            record.msg = f"{record.getMessage()} ({type(error).__name__}: {text}; as before)"
            record.args = record.exc_info = record.exc_text = None
        super().emit(record)

    def _was_shown(self, record: logging.LogRecord, error: BaseException) -> bool:
        place = record.name, record.msg, type(error), _own_frames(error)
        now = time.monotonic()
        if now - self._shown.get(place, -SHOWN_AGAIN_AFTER_S) < SHOWN_AGAIN_AFTER_S:
            return True
        if len(self._shown) >= MOST_PLACES:
            self._shown.clear()
        self._shown[place] = now
        return False


def _own_frames(error: BaseException) -> Hashable:
    """Where it came from. A library may take another way inside for the same failure."""
    frames = traceback.walk_tb(error.__traceback__)
    places = [(frame.f_code.co_filename, line) for frame, line in frames]
    return tuple(place for place in places if _is_ours(place[0])) or tuple(places)


def _is_ours(file: str) -> bool:
    """The virtual environment may lie in the checkout."""
    return file.startswith(_ROOT) and "site-packages" not in file.removeprefix(_ROOT)
