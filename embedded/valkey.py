"""Valkey: the alarm clock, whose data may be lost."""

import asyncio
import logging
import shutil
import signal
from contextlib import closing
from pathlib import Path
from typing import IO

from embedded.binaries import valkey_binary
from embedded.errors import EmbeddedServersError, ServerEndedError
from embedded.private_files import write_anew
from embedded.privileges import account_for, hand_over
from embedded.server import Server
from embedded.supervisor import CANNOT_BECOME_ACCOUNT

log = logging.getLogger(__name__)

_CONFIGURATION = """\
port 0
unixsocket {socket}
unixsocketperm 700
requirepass {password}
pidfile {pid_file}
save ""
appendonly {append_only}
appendfsync everysec
maxmemory-policy noeviction
"""
_PID_FILE = "valkey.pid"


class Valkey(Server):
    name = "valkey"
    title = "Valkey"
    stop_signal = signal.SIGTERM
    _stays_root = False

    @property
    def url(self) -> str:
        return f"unix://:{self._password}@{self._socket}"

    @property
    def is_made(self) -> bool:
        return self._directory.exists()

    def binary(self) -> Path:
        return valkey_binary()

    @property
    def pid(self) -> int:
        return int((self._directory / _PID_FILE).read_text(encoding="ascii"))

    @property
    def _socket(self) -> str:
        return f"{self._socket_dir}/valkey.sock"

    async def start(self) -> None:
        had_data = self.is_made
        try:
            await super().start()
        except (ServerEndedError, FileExistsError) as error:
            if isinstance(error, ServerEndedError) and error.status == CANNOT_BECOME_ACCOUNT:
                await self._start_as_root()
            elif had_data:
                await self._start_anew(error)
            else:
                raise

    async def _start_as_root(self) -> None:
        """Where not even root may have a user namespace, and nobody else reaches the data."""
        log.warning(
            "Valkey runs as root: no other user can reach both %s and the Python environment",
            self._data_dir,
        )
        self._stays_root = True
        await self.start()

    async def _start_anew(self, error: Exception) -> None:
        """What it cannot read may be thrown away, since the bot makes all timers again from
        PostgreSQL: it must keep nobody from starting. If that was not it, it is put back."""
        await self.stop()
        damaged = self._data_dir / "valkey.damaged"
        await asyncio.to_thread(_remove, damaged)
        self._directory.rename(damaged)
        try:
            await super().start()
        except EmbeddedServersError:
            await self.stop()
            await asyncio.to_thread(_remove, self._directory)
            damaged.rename(self._directory)
            raise
        log.warning("Valkey starts anew, since it could not read its data (now in %s)", damaged)
        log.info("The reason: %s", error)

    async def _prepare(self, lock: IO[str]) -> tuple[str | Path, ...]:  # noqa: ARG002
        """A file, because everybody can see a command line, and this has the password in it."""
        binary = self.binary()
        self._directory.mkdir(mode=0o700, exist_ok=True)
        account = account_for(self._directory, (self._data_dir, binary))
        self._account = "" if self._stays_root else account.word
        hand_over(self._directory, account)
        configuration = self._directory / "valkey.conf"
        text = _CONFIGURATION.format(
            socket=self._socket,
            password=self._password,
            pid_file=_PID_FILE,
            append_only="yes" if self._durable else "no",
        )
        write_anew(configuration, text, account.uid, account.gid)
        return binary, configuration.name

    async def flush(self) -> None:
        """Delete all that it holds."""
        answer = await self._ask("FLUSHALL SYNC")
        if answer != b"+OK\r\n":
            raise EmbeddedServersError(f"{self.title} was not flushed: {answer!r}.")

    async def _is_ready(self) -> bool:
        """Not so as long as it answers LOADING."""
        try:
            return await self._ask("PING") == b"+PONG\r\n"
        except OSError:
            return False

    async def _ask(self, command: str) -> bytes:
        """One line of an answer, or what it says to the password if it takes none."""
        reader, writer = await asyncio.open_unix_connection(self._socket)
        with closing(writer):
            writer.write(f"AUTH {self._password}\r\n{command}\r\n".encode("ascii"))
            welcome, answer = await reader.readline(), await reader.readline()
        return answer if welcome == b"+OK\r\n" else welcome


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
