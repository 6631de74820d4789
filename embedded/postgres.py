"""PostgreSQL, as a user it accepts."""

import asyncio
import shutil
import signal
from pathlib import Path
from typing import IO

import asyncpg

from embedded.binaries import postgres_binary
from embedded.errors import EmbeddedServersError
from embedded.privileges import Account, account_for_postgres, hand_over
from embedded.server import Server
from embedded.supervisor import CANNOT_BECOME_ACCOUNT

_USER = "bot"
_DATABASE = "punctual"
_PORT = 5432  # of no network: it is part of the socket's name
_INITDB_OPTIONS = (
    f"--username={_USER}",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale-provider=builtin",  # the same order and case rules on every machine
    "--builtin-locale=C.UTF-8",
    "--no-locale",
    "--no-instructions",
)
_SETTINGS = (
    f"port={_PORT}",
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "max_connections=100",
    "shared_buffers=64MB",
    "log_checkpoints=off",
)
_NO_FSYNC_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class Postgres(Server):
    name = "postgres"
    title = "PostgreSQL"
    stop_signal = signal.SIGINT  # its "fast" shutdown; SIGTERM would wait for the clients

    @property
    def url(self) -> str:
        return f"postgresql://{_USER}:{self._password}@/{_DATABASE}?host={self._socket_dir}"

    @property
    def pid(self) -> int:
        return int(self._pid_file_lines()[0])

    @property
    def is_made(self) -> bool:
        return (self._directory / "PG_VERSION").exists()

    def binary(self) -> Path:
        return postgres_binary("postgres")

    async def start(self) -> None:
        await super().start()
        try:
            await self._ensure_database()
        except asyncpg.PostgresError as error:
            raise EmbeddedServersError(
                f"PostgreSQL does not accept the bot ({error}): see {self._log}."
            ) from error

    async def _prepare(self, lock: IO[str]) -> tuple[str | Path, ...]:
        binary = self.binary()
        account = account_for_postgres(self._directory, (self._data_dir, binary))
        self._account = account.word
        hand_over(self._password_file, account)
        if not self.is_made:
            await self._initialise(account, lock)
        hand_over(self._directory, account)
        # The lock says that no server is left, so this can only be stale. PostgreSQL itself would
        # refuse to start if another process had that id by now.
        self._pid_file.unlink(missing_ok=True)
        settings = (*_SETTINGS, f"unix_socket_directories={self._socket_dir}")
        if not self._durable:
            settings += _NO_FSYNC_SETTINGS
        return (binary, "-D", self._directory, *(f"--{setting}" for setting in settings))

    async def _initialise(self, account: Account, lock: IO[str]) -> None:
        """initdb beside the final place: what is there under its final name is never half done."""
        draft = self._data_dir / "postgres.new"
        if draft.exists():
            await asyncio.to_thread(shutil.rmtree, draft)
        draft.mkdir(mode=0o700)
        hand_over(draft, account)
        initdb = self._supervise(
            postgres_binary("initdb"),
            *_INITDB_OPTIONS,
            f"--pgdata={draft}",
            f"--pwfile={self._password_file}",
            *(() if self._durable else ("--no-sync",)),
            lock=lock,
            cwd=self._data_dir,
            stop_signal=signal.SIGKILL,  # it ignores milder ones at times, and leaves only a draft
        )
        if status := await initdb.wait():
            raise self._failure(status)
        draft.rename(self._directory)

    async def _is_ready(self) -> bool:
        """As pg_ctl does it: connecting too early would fill the log."""
        return [line.strip() for line in self._pid_file_lines()[7:]] == ["ready"]

    async def _ensure_database(self) -> None:
        """The first time, take the empty one that initdb made: 1 ms, where CREATE takes 280."""
        connection = await asyncpg.connect(
            host=str(self._socket_dir),
            port=_PORT,
            user=_USER,
            password=self._password,
            database="template1",
        )
        try:
            if not await connection.fetchval(
                "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", _DATABASE
            ):
                await connection.execute(f"ALTER DATABASE postgres RENAME TO {_DATABASE}")
        finally:
            await connection.close()

    def _failure(self, status: int) -> EmbeddedServersError:
        if status == CANNOT_BECOME_ACCOUNT:
            return EmbeddedServersError(
                "PostgreSQL runs neither as root nor as a user without a name, and no other user "
                f"can reach both {self._data_dir} and the Python environment: start the bot as an "
                "ordinary user, or set DATABASE_URL."
            )
        return super()._failure(status)

    @property
    def _pid_file(self) -> Path:
        return self._directory / "postmaster.pid"

    def _pid_file_lines(self) -> list[str]:
        try:
            return self._pid_file.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
