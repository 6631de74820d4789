"""Valkey, as the user who runs the bot."""

import asyncio
import signal
from contextlib import closing
from pathlib import Path
from typing import IO

from embedded.binaries import valkey_binary
from embedded.private_files import open_private
from embedded.server import Server

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

    async def _prepare(self, lock: IO[str]) -> tuple[str | Path, ...]:  # noqa: ARG002
        """A file, because everybody can see a command line, and this has the password in it."""
        self._directory.mkdir(mode=0o700, exist_ok=True)
        configuration = self._directory / "valkey.conf"
        with open_private(configuration, "w") as file:
            file.write(
                _CONFIGURATION.format(
                    socket=self._socket,
                    password=self._password,
                    pid_file=_PID_FILE,
                    append_only="yes" if self._durable else "no",
                )
            )
        return self.binary(), configuration.name

    async def _is_ready(self) -> bool:
        """Not so as long as it answers LOADING."""
        try:
            reader, writer = await asyncio.open_unix_connection(self._socket)
            with closing(writer):
                writer.write(f"AUTH {self._password}\r\nPING\r\n".encode("ascii"))
                answers = [await reader.readline(), await reader.readline()]
        except OSError:
            return False
        return answers == [b"+OK\r\n", b"+PONG\r\n"]
