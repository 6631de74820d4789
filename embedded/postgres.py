"""PostgreSQL, as a user it accepts, and for the bot a role that is no superuser."""

import asyncio
import logging
import os
import shutil
import signal
from pathlib import Path
from typing import IO

import asyncpg

from embedded.binaries import postgres_binary
from embedded.errors import EmbeddedServersError, ServerEndedError
from embedded.postgres_major import require_same_major
from embedded.postgres_roles import BOT, DATABASE, SUPERUSER, require_roles
from embedded.private_files import kept_password
from embedded.privileges import Account, account_for, hand_over, nobody
from embedded.server import Server
from embedded.supervisor import CANNOT_BECOME_ACCOUNT

log = logging.getLogger(__name__)

_PORT = 5432  # of no network: it is part of the socket's name
INITDB_OPTIONS = (
    f"--username={SUPERUSER}",
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
    "max_wal_size=256MB",  # the default of 1 GB would fill a small disk with a busy day's log
    "min_wal_size=32MB",
    "log_checkpoints=off",
)
_NO_FSYNC_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class Postgres(Server):
    name = "postgres"
    title = "PostgreSQL"
    _superuser_password = ""
    stop_signal = signal.SIGINT  # its "fast" shutdown; SIGTERM would wait for the clients

    @property
    def url(self) -> str:
        return self._url(BOT, self._password, DATABASE)

    @property
    def superuser_url(self) -> str:
        return self._url(SUPERUSER, self._superuser_password, DATABASE)

    def _url(self, user: str, password: str, database: str) -> str:
        return f"postgresql://{user}:{password}@/{database}?host={self._socket_dir}"

    @property
    def pid(self) -> int:
        return int(self._pid_file_lines()[0])

    @property
    def is_made(self) -> bool:
        return (self._directory / "PG_VERSION").exists()

    def binary(self) -> Path:
        return postgres_binary("postgres")

    async def start(self) -> None:
        self._superuser_password = kept_password(self._superuser_password_file)
        await super().start()
        try:
            await require_roles(
                lambda database: self._url(BOT, self._password, database),
                lambda database: self._url(SUPERUSER, self._superuser_password, database),
                self._password,
                self._superuser_password,
            )
        except asyncpg.PostgresError as error:
            raise EmbeddedServersError(
                f"PostgreSQL does not accept the bot ({error}): see {self._log}."
            ) from error

    async def _prepare(self, lock: IO[str]) -> tuple[str | Path, ...]:
        binary = self.binary()
        account = account_for(self._directory, (self._data_dir, binary))
        if account.is_nobody:
            log.warning("PostgreSQL runs as nobody, whose other programs can read its data")
        if self.is_made:
            await require_same_major(self._directory, binary)
        else:
            await self._initialise(account, lock)
        hand_over(self._directory, account)
        self._account = account.word
        # The lock says that no server is left, so this can only be stale. PostgreSQL itself would
        # refuse to start if another process had that id by now.
        self._pid_file.unlink(missing_ok=True)
        settings = (*_SETTINGS, f"unix_socket_directories={self._socket_dir}")
        if not self._durable:
            settings += _NO_FSYNC_SETTINGS
        return (binary, "-D", self._directory, *(f"--{setting}" for setting in settings))

    async def _initialise(self, account: Account, lock: IO[str]) -> None:
        """initdb wants a user with a name. Where ours has none and the system lets nobody pretend,
        `nobody` makes the files, and has nothing to do with them afterwards."""
        try:
            await self._run_initdb(account, account.word_with_a_name, lock)
        except ServerEndedError as error:
            can_be_nobody = os.geteuid() == 0 and account.word_with_a_name != account.word
            if error.status != CANNOT_BECOME_ACCOUNT or not can_be_nobody:
                raise
            log.warning("PostgreSQL's files are made as nobody: this system has no user namespaces")
            await self._run_initdb(nobody(), nobody().word, lock)

    async def _run_initdb(self, account: Account, word: str, lock: IO[str]) -> None:
        """Beside the final place: what is there under its final name is never half done."""
        draft = self._data_dir / "postgres.new"
        if draft.exists():
            await asyncio.to_thread(shutil.rmtree, draft)
        draft.mkdir(mode=0o700)
        hand_over(draft, account)
        hand_over(self._superuser_password_file, account)
        self._account = word
        initdb = self._supervise(
            postgres_binary("initdb"),
            *INITDB_OPTIONS,
            f"--pgdata={draft}",
            f"--pwfile={self._superuser_password_file}",
            *(() if self._durable else ("--no-sync",)),
            lock=lock,
            cwd=self._data_dir,
            stop_signal=signal.SIGKILL,  # it ignores milder ones at times, and leaves only a draft
        )
        status = await initdb.wait()
        os.chown(self._superuser_password_file, os.geteuid(), os.getegid())
        if status:
            raise self._failure(status)
        draft.rename(self._directory)

    async def _is_ready(self) -> bool:
        """As pg_ctl does it: connecting too early would fill the log."""
        return [line.strip() for line in self._pid_file_lines()[7:]] == ["ready"]

    def _failure(self, status: int) -> ServerEndedError:
        if status == CANNOT_BECOME_ACCOUNT:
            return ServerEndedError(
                "PostgreSQL runs neither as root nor as a user without a name, and no other user "
                f"can reach both {self._data_dir} and the Python environment: start the bot as an "
                "ordinary user, or set DATABASE_URL.",
                status,
            )
        return super()._failure(status)

    @property
    def _superuser_password_file(self) -> Path:
        return self._data_dir / "postgres.superuser.password"

    @property
    def _pid_file(self) -> Path:
        return self._directory / "postmaster.pid"

    def _pid_file_lines(self) -> list[str]:
        try:
            return self._pid_file.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
