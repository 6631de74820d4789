"""A running `python bot.py` that a test can signal, kill, and read the log of."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.wire import Discord

ROOT = Path(__file__).parent.parent.parent
LOG_TIMEOUT_S = 20.0


class BotProcess:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[str] = []
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.lines.append(line.decode(errors="replace").rstrip())
            self._news.set()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        return "\n".join(self.lines)

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    async def logged(self, text: str, *, count: int = 1, within: float = LOG_TIMEOUT_S) -> str:
        """The count-th line with this text, once it is there."""
        try:
            async with asyncio.timeout(within):
                while True:
                    self._news.clear()
                    found = [line for line in self.lines if text in line]
                    if len(found) >= count:
                        return found[count - 1]
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"{text!r} is not in the log:\n{self.log}") from None

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def ended(self, *, within: float = 40.0) -> int:
        """Its exit status, and its log to the last line."""
        async with asyncio.timeout(within):
            status = await self._process.wait()
            await self._reader
        return status

    async def terminate(self) -> int:
        self.signal(signal.SIGTERM)
        return await self.ended()

    async def kill(self) -> None:
        self.signal(signal.SIGKILL)
        await self.ended()


async def start_bot(
    discord: Discord,
    settings: Mapping[str, str],
    *arguments: str,
    root: Path = ROOT,
    cwd: Path | None = None,
) -> BotProcess:
    """Start it; it need not be ready yet. `root` is where the program lies."""
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    process = await asyncio.create_subprocess_exec(
        *discord.command_line(root / "bot.py", *arguments),
        env={
            **environment,
            **discord.environment,
            "WIRE_DISCORD_READY_SECONDS": "0.05",
            "PYTHONUNBUFFERED": "1",
            **settings,
        },
        cwd=cwd or settings["DATA_DIR"],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    return BotProcess(process)


@asynccontextmanager
async def running_bot(
    discord: Discord, settings: Mapping[str, str], *, root: Path = ROOT, cwd: Path | None = None
) -> AsyncGenerator[BotProcess]:
    """A bot that is ready; killed at the end if it still runs."""
    bot = await start_bot(discord, settings, root=root, cwd=cwd)
    try:
        await bot.logged("orphaned jobs", count=1)
        await bot.logged("✅ Cleaned up")
        yield bot
    finally:
        await bot.kill()
