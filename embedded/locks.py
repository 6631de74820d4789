"""Locks that the kernel frees however their holder ended.

They say who is alive, which a file with a process id can't: ids are used again.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import IO

from embedded.errors import EmbeddedServersError
from embedded.private_files import open_private
from embedded.socket_dirs import remove_if_socket_dir

if sys.platform != "win32":
    import fcntl

_STOP_SECONDS = 35  # more than the supervisor's own patience
_KILL_SECONDS = 5
_POLL_SECONDS = 0.01


@contextmanager
def only_bot(data_dir: Path) -> Generator[None]:
    """Meanwhile no other bot uses the directory."""
    with open_private(data_dir / "bot.lock", "a") as lock:
        if not _take(lock):
            raise EmbeddedServersError(
                f"Another bot is already running on {data_dir}: "
                "stop it, or set DATA_DIR to another directory."
            )
        yield


@asynccontextmanager
async def server_lock(path: Path, stop_signal: signal.Signals) -> AsyncGenerator[IO[str]]:
    """The lock of one server, once nothing of an earlier run is left; what is left ends here.

    The server's processes inherit the open file, so it is free only when the last one is gone.
    Its text is the process group and the socket directory, for whoever has to clean up.
    """
    with open_private(path, "a+") as lock:
        if not _take(lock):
            await _end_holders(lock, stop_signal)
        for socket_dir in _noted(lock)[1:]:
            remove_if_socket_dir(Path(socket_dir))
        lock.truncate(0)
        yield lock


def note(lock: IO[str], group: int, socket_dir: Path | None) -> None:
    lock.truncate(0)
    lock.write(f"{group}\n{socket_dir or ''}\n")
    lock.flush()


async def _end_holders(lock: IO[str], stop_signal: signal.Signals) -> None:
    for number, seconds in ((stop_signal, _STOP_SECONDS), (signal.SIGKILL, _KILL_SECONDS)):
        for group in _noted(lock)[:1]:
            with suppress(ProcessLookupError):
                os.killpg(int(group), number)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not _take(lock):  # noqa: ASYNC110  # no event tells of another's lock
                    await asyncio.sleep(_POLL_SECONDS)
                return
    raise EmbeddedServersError(f"A server of an earlier run does not end: see {lock.name}.")


def _take(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _noted(lock: IO[str]) -> list[str]:
    lock.seek(0)
    return lock.read().splitlines()
