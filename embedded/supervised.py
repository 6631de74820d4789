"""The bot's side of a supervised process."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Self

from embedded import supervisor
from embedded.locks import note
from embedded.private_files import open_private

_LET_GO_SECONDS = 40  # more than the supervisor's own patience
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH")


class Supervised:
    """A command under its supervisor, which stops it when this process lets go or ends."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @classmethod
    def start(
        cls,
        *command: str | Path,
        stop_signal: signal.Signals,
        account: str,
        lock: IO[str],
        log: Path,
        cwd: Path,
        socket_dir: Path | None = None,
    ) -> Self:
        """Start it. It has `socket_dir` until it ends, and holds `lock` until that is removed."""
        with open_private(log, "a") as output:
            process = subprocess.Popen(  # noqa: S603
                [
                    *(sys.executable, "-I", "-S", supervisor.__file__),
                    *(str(int(stop_signal)), str(socket_dir or ""), account),
                    *map(str, command),
                ],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=cwd,
                env=_environment(),
                pass_fds=(lock.fileno(),),
                start_new_session=True,  # Ctrl+C is for the bot alone
            )
        note(lock, process.pid, socket_dir)
        return cls(process)

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    async def wait(self) -> int:
        """The supervisor's exit status, once the command has ended and all is tidied up."""
        status = await asyncio.to_thread(self._process.wait)
        self._cut_lifeline()
        return status

    async def let_go(self) -> None:
        """Have the command stopped, and wait until it is."""
        self._cut_lifeline()
        try:
            async with asyncio.timeout(_LET_GO_SECONDS):
                await self.wait()
        except TimeoutError:
            self._process.kill()
            await self.wait()

    def _cut_lifeline(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()


def _environment() -> dict[str, str]:
    """Nothing of the bot's, whose token is in there, and no PG* variable that changes a default."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}
