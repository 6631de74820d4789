"""What PostgreSQL and Valkey have in common: files, sockets, start and stop."""

import asyncio
import signal
from abc import ABC, abstractmethod
from pathlib import Path
from typing import IO, ClassVar

from embedded.errors import EmbeddedServersError, ServerEndedError
from embedded.locks import server_lock
from embedded.private_files import kept_password, rotate_if_large
from embedded.socket_dirs import new_socket_dir
from embedded.supervised import Supervised

_START_SECONDS = 60  # PostgreSQL may have to recover, Valkey to load its data
_POLL_SECONDS = 0.005


class Server(ABC):
    """One server below the data directory. Its URL outlives a restart, its data everything."""

    name: ClassVar[str]
    title: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]

    def __init__(self, data_dir: Path, *, durable: bool) -> None:
        self._data_dir = data_dir
        self._durable = durable
        self._directory = data_dir / self.name
        self._log = data_dir / f"{self.name}.log"
        self._lock = data_dir / f"{self.name}.lock"
        self._password_file = data_dir / f"{self.name}.password"
        self._socket_dir = new_socket_dir()
        self._account = ""  # the word that tells the supervisor whose process the server is
        self._password = ""
        self._process: Supervised | None = None

    @property
    @abstractmethod
    def url(self) -> str: ...

    @property
    @abstractmethod
    def pid(self) -> int:
        """The process id of the server itself, not of its supervisor."""

    @property
    @abstractmethod
    def is_made(self) -> bool:
        """Whether there is data of an earlier start."""

    @abstractmethod
    def binary(self) -> Path: ...

    async def start(self) -> None:
        self._password = kept_password(self._password_file)
        async with server_lock(self._lock, self.stop_signal) as lock:
            rotate_if_large(self._log)
            command = await self._prepare(lock)
            process = self._supervise(
                *command,
                lock=lock,
                cwd=self._directory,
                stop_signal=self.stop_signal,
                socket_dir=self._socket_dir,
            )
        await self._until_ready(process)

    @property
    def crashed(self) -> bool:
        """It was started, and ended without being asked to."""
        return self._process is not None and self._process.ended

    async def stop(self) -> None:
        """Stop it, or what a failed start left of it. Twice is fine."""
        process, self._process = self._process, None
        if process:
            await process.let_go()
        async with server_lock(self._lock, self.stop_signal):
            pass  # even a server whose supervisor was killed is gone once this is ours

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    @abstractmethod
    async def _prepare(self, lock: IO[str]) -> tuple[str | Path, ...]:
        """Make its directory ready, and return the command that starts it there."""

    @abstractmethod
    async def _is_ready(self) -> bool: ...

    def _supervise(
        self,
        *command: str | Path,
        lock: IO[str],
        cwd: Path,
        stop_signal: signal.Signals,
        socket_dir: Path | None = None,
    ) -> Supervised:
        self._process = Supervised.start(
            *command,
            stop_signal=stop_signal,
            account=self._account,
            lock=lock,
            log=self._log,
            cwd=cwd,
            socket_dir=socket_dir,
        )
        return self._process

    async def _until_ready(self, process: Supervised) -> None:
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not await self._is_ready():
                    if process.ended:
                        raise self._failure(await process.wait())
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            raise EmbeddedServersError(
                f"{self.title} is not ready after {_START_SECONDS} seconds: see {self._log}."
            ) from None

    def _failure(self, status: int) -> ServerEndedError:
        """What to say of a process that ended with this status."""
        return ServerEndedError(f"{self.title} did not start: see {self._log}.", status)
