"""The bot as a process of its own, that is started again whenever it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from domains.settings import Settings
from domains.tasks import cancel, detached

RESTART_DELAY_S = 2.0
"""Long enough to be seen."""
STOP_TIMEOUT_S = 25.0
"""More than the bot's own grace for what runs."""
MODULE = f"{__package__}.bot_launcher"
SEARCHED = Path(__file__).resolve().parents[MODULE.count(".")]
"""Where Python finds this package."""


@dataclass(frozen=True, slots=True)
class BotLife:
    """One start of the process. `pid` is None between two."""

    pid: int | None
    since: datetime
    restarts: int


class BotProcess:
    def __init__(
        self, settings: Settings, api_url: str, gateway_url: str, changed: Callable[[], None]
    ) -> None:
        values = settings.model_dump()
        plain = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in values.items()
        }
        launch = {"api_url": api_url, "gateway_url": gateway_url, "settings": plain}
        self._launch = json.dumps(launch, default=str).encode() + b"\n"
        self._cwd = settings.data_dir
        self._changed = changed
        self._process: Process | None = None
        self.life = BotLife(None, datetime.now(UTC), restarts=-1)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        keeping = detached(self._keep_running())
        try:
            yield
        finally:
            await cancel(keeping)
            await self._stop()

    def kill(self) -> None:
        """SIGKILL: nothing of it can prepare for that."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def _keep_running(self) -> None:
        while True:
            process = self._process = await self._start()
            self._set(process.pid, self.life.restarts + 1)
            await process.wait()
            self._set(None, self.life.restarts)
            await asyncio.sleep(RESTART_DELAY_S)

    def _set(self, pid: int | None, restarts: int) -> None:
        self.life = BotLife(pid, datetime.now(UTC), restarts)
        self._changed()

    async def _start(self) -> Process:
        """In a session of its own: Ctrl+C is for the demo, which then ends the bot."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            MODULE,
            stdin=PIPE,
            stdout=DEVNULL,
            cwd=self._cwd,
            env=os.environ | {"PYTHONPATH": _python_path()},
            start_new_session=True,
        )
        assert process.stdin is not None
        process.stdin.write(self._launch)
        return process

    async def _stop(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _python_path() -> str:
    others = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(SEARCHED), *([others] if others else [])])
