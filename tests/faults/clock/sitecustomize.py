"""Lets a host's clock be set while its programs run: Python imports this at its start, if its
folder is on PYTHONPATH. The monotonic clocks go on undisturbed, as they do in truth.

What the clock is off by, in seconds, is read from the file that CLOCK_OFFSET names.
"""

import datetime
import os
import time
from pathlib import Path

_FILE = Path(os.environ["CLOCK_OFFSET"])
_time, _time_ns = time.time, time.time_ns
_datetime = datetime.datetime


def _offset() -> float:
    return float(_FILE.read_text(encoding="ascii"))


class _Anything(type):
    """What C code makes are datetimes too."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _datetime)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, _datetime)


class _Datetime(_datetime, metaclass=_Anything):
    __slots__ = ()

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> _datetime:
        return _datetime.fromtimestamp(_time() + _offset(), tz)

    @classmethod
    def utcnow(cls) -> _datetime:
        return cls.now(datetime.UTC).replace(tzinfo=None)


time.time = lambda: _time() + _offset()
time.time_ns = lambda: _time_ns() + int(_offset() * 1_000_000_000)
datetime.datetime = _Datetime  # type: ignore[misc]
