"""The demo as a process of its own."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

BOT = Path(__file__).parents[2] / "bot.py"
ANNOUNCEMENT = "Punctual demo: "
SHUTDOWN_TIMEOUT_S = 60


class DemoProcess:
    def __init__(self, data_dir: Path, process: subprocess.Popen[str], log: Path) -> None:
        self.data_dir = data_dir
        self._process = process
        self._log = log

    def url(self) -> str:
        """What it announces. Waits until it does."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith(ANNOUNCEMENT), line + self.end()[1]
        return line.removeprefix(ANNOUNCEMENT).strip()

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def end(self) -> tuple[str, str]:
        """Wait until it has ended: what else it said, and its log."""
        said, _ = self._process.communicate(timeout=SHUTDOWN_TIMEOUT_S)
        return said, self._log.read_text(encoding="utf-8")

    @property
    def status(self) -> int | None:
        return self._process.poll()

    def processes(self) -> list[Path]:
        """What runs on its data, whoever its parent is by now."""
        return [process for process in _running() if _works_in(process, self.data_dir)]


@contextmanager
def running_demo(data_dir: Path, **environment: str) -> Generator[DemoProcess]:
    """It is killed at the end, if it has not ended before.

    The operator's own servers, which are not there, must be left alone.
    """
    operators = {
        "DATABASE_URL": "postgresql://operator@127.0.0.1:1/tickets",
        "REDIS_URL": "redis://127.0.0.1:1",
        "DISCORD_TOKEN": "",
    }
    ours = {"DATA_DIR": str(data_dir), "DEMO_PORT": "0"}
    log = data_dir.parent / f"{secrets.token_hex(4)}.log"  # a pipe that nobody reads would fill
    with (
        log.open("w", encoding="utf-8") as stderr,
        subprocess.Popen(
            [sys.executable, str(BOT), "--demo", "--no-browser"],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            cwd=data_dir.parent,
            env=os.environ | operators | ours | environment,
        ) as process,
    ):
        try:
            yield DemoProcess(data_dir, process, log)
        finally:
            process.kill()


def _running() -> Iterator[Path]:
    return (path for path in Path("/proc").iterdir() if path.name.isdecimal())


def _works_in(process: Path, directory: Path) -> bool:
    """Its servers live there. A zombie has no directory any more."""
    try:
        return (process / "cwd").readlink().is_relative_to(directory)
    except OSError:
        return False
