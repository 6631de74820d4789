"""Saves a ticket again and again, each time in a process that is killed one step later.

Run as `python -m ... ROOT MESSAGES [SAVED_BEFORE]`. A step is anything that Python does to the
file system; each of the killed processes has a directory of its own, ROOT/1, ROOT/2 and so on.
The last one is not killed. With SAVED_BEFORE, that many messages are saved in peace first.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

from domains.transcripts import TranscriptStore

from .samples import HEADER, attached, attachment, five_bytes, said, stream

ON_THE_EVENT_LOOP = 3


def main() -> int:
    root, messages = Path(sys.argv[1]), int(sys.argv[2])
    saved_before = int(sys.argv[3]) if len(sys.argv) > 3 else None
    step, status = 0, -signal.SIGKILL
    while status == -signal.SIGKILL:
        step += 1
        directory = root / str(step)
        if saved_before is not None:
            save(directory, saved_before)
        pid = os.fork()
        if pid == 0:
            kill_at(step, directory)
            save(directory, messages)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status


def save(directory: Path, count: int) -> None:
    messages = attached(attachment("a.txt"), attachment("b.png"))
    messages += said(*(f"word {n}" for n in range(count)))[1:]
    asyncio.run(TranscriptStore(directory).save(HEADER, stream(messages), five_bytes))


def kill_at(step: int, directory: Path) -> None:
    steps = 0

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal steps
        on_path = bool(arguments) and str(arguments[0]).startswith(str(directory))
        if on_path or event == "fcntl.flock":
            if threading.current_thread() is threading.main_thread():
                os._exit(ON_THE_EVENT_LOOP)
            steps += 1
            if steps == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


if __name__ == "__main__":
    sys.exit(main())
