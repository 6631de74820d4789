"""The servers of one bot, together."""

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from embedded.errors import EmbeddedServersError
from embedded.locks import only_bot
from embedded.postgres import Postgres
from embedded.server import Server
from embedded.valkey import Valkey

log = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS = 1.0
_MOST_SECONDS_BETWEEN_STARTS = 3.0
_Server = TypeVar("_Server", bound=Server)


class EmbeddedServers:
    """PostgreSQL and Valkey below `data_dir`, or one of the two, for one bot at a time.

    `durable=False` is for tests: nothing waits for the disk, and Valkey keeps nothing.
    """

    def __init__(
        self, data_dir: Path, *, postgres: bool = True, valkey: bool = True, durable: bool = True
    ) -> None:
        self._data_dir = data_dir.absolute()
        self._postgres = Postgres(self._data_dir, durable=durable) if postgres else None
        self._valkey = Valkey(self._data_dir, durable=durable) if valkey else None
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start them, or raise EmbeddedServersError and leave nothing running."""
        if sys.platform == "win32":
            raise EmbeddedServersError(
                "The embedded servers need Linux or macOS: set DATABASE_URL and REDIS_URL."
            )
        with _one_readable_line():
            async with AsyncExitStack() as stack:
                _make_data_dir(self._data_dir)
                stack.enter_context(only_bot(self._data_dir))
                stack.push_async_callback(self._for_each, lambda server: server.stop())
                await self._for_each(lambda server: server.start())
                self._running = stack.pop_all()

    async def stop(self) -> None:
        """Stop them, if they run."""
        with _one_readable_line():
            await self._running.aclose()

    @property
    def are_made(self) -> bool:
        """Whether an earlier start has made all that are wanted."""
        return all(server.is_made for server in self._wanted_servers())

    def require_binaries(self) -> None:
        """Raises EmbeddedServersError where there are none for this system."""
        for server in self._wanted_servers():
            server.binary()

    @property
    def database_url(self) -> str:
        return _wanted(self._postgres).url

    @property
    def superuser_url(self) -> str:
        """For who administers the database. The bot itself is no superuser."""
        return _wanted(self._postgres).superuser_url

    @property
    def redis_url(self) -> str:
        return _wanted(self._valkey).url

    @property
    def postgres_pid(self) -> int:
        return _wanted(self._postgres).pid

    @property
    def valkey_pid(self) -> int:
        return _wanted(self._valkey).pid

    async def stop_postgres(self) -> None:
        """Until `restart_postgres`: `keep_running` leaves alone what was stopped on purpose."""
        with _one_readable_line():
            await _wanted(self._postgres).stop()

    async def restart_postgres(self) -> None:
        """Stop it, unless it is dead already, and start it at the same URL."""
        with _one_readable_line():
            await _wanted(self._postgres).restart()

    async def restart_valkey(self) -> None:
        """Stop it, unless it is dead already, and start it at the same URL."""
        with _one_readable_line():
            await _wanted(self._valkey).restart()

    async def flush_valkey(self) -> None:
        """Delete all that it holds. Raises EmbeddedServersError if it does not."""
        with _one_readable_line():
            await _wanted(self._valkey).flush()

    async def keep_running(self) -> None:
        """Start again, at the same URL, what crashes. For ever: to be run as a task."""
        await asyncio.gather(*map(_keep_running, self._wanted_servers()))

    def _wanted_servers(self) -> list[Server]:
        return [server for server in (self._postgres, self._valkey) if server]

    async def _for_each(self, act: Callable[[Server], Awaitable[None]]) -> None:
        """For both at once. An error is raised when neither is under way any more."""
        results = await asyncio.gather(*map(act, self._wanted_servers()), return_exceptions=True)
        for result in results:
            if result:
                raise result


async def _keep_running(server: Server) -> None:
    """What does not start again, as on a full disk, is said once and tried on."""
    failures = 0
    while True:
        await asyncio.sleep(min(_LOOK_EVERY_SECONDS * (1 + failures), _MOST_SECONDS_BETWEEN_STARTS))
        if not server.crashed:
            continue
        if not failures:
            log.warning("%s has ended by itself and is started again", server.title)
        try:
            with _one_readable_line():
                await server.restart()
        except EmbeddedServersError as error:
            if not failures:
                log.error("%s It is tried again until it does", error)
            failures += 1
        else:
            if failures:
                log.info("%s has started again", server.title)
            failures = 0


@contextmanager
def _one_readable_line() -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise EmbeddedServersError(f"The embedded servers failed: {error}.") from error


def _make_data_dir(path: Path) -> None:
    """Private; if it is root's, another user's PostgreSQL has to pass it, but can't list it."""
    path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)


def _wanted(server: _Server | None) -> _Server:
    if server is None:
        raise EmbeddedServersError("This embedded server was not asked for.")
    return server
