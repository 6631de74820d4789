"""PostgreSQL: the pool, transactions that can promise something for after their commit,
locks that die with their holder, and forward-only migrations."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import asyncpg

from domains.errors import StartupError
from domains.redaction import one_line

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent.parent / "migrations"
CONNECT_TIMEOUT_S = 5
COMMAND_TIMEOUT_S = 30
ACQUIRE_TIMEOUT_S = 30
CLOSE_TIMEOUT_S = 10
MAX_CONNECTIONS = 20

T = TypeVar("T")


class DatabaseAwayError(Exception):
    """The server could not be reached, or did not answer in time."""


DatabaseUnavailable = (
    DatabaseAwayError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that was cut while it was being taken
)
"""What a statement raises when the server cannot be reached, as opposed to when it says no.

No OSError as such: a full disk under the transcripts is another matter.
"""


class AfterCommit(Generic[T]):
    """A promise for after the commit; `result` stays None if it was not, or could not be, kept."""

    def __init__(self, callback: Callable[[], Awaitable[T]]) -> None:
        self._callback = callback
        self.result: T | None = None

    async def keep(self) -> None:
        """Never raises: the commit stands, and reconciliation repairs what was not done."""
        try:
            self.result = await self._callback()
        except Exception:
            log.exception("What was to follow a commit failed; reconciliation will make it good")


class Transaction:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._promises: list[AfterCommit[Any]] = []

    def after_commit(self, callback: Callable[[], Awaitable[T]]) -> AfterCommit[T]:
        """Run `callback` once the transaction has committed, in order; never on a rollback."""
        promise = AfterCommit(callback)
        self._promises.append(promise)
        return promise

    async def keep_promises(self) -> None:
        for promise in self._promises:
            await promise.keep()


class DatabaseClock:
    """PostgreSQL's `now()`, carried forward by the monotonic clock between two looks at it.

    Deadlines are computed by PostgreSQL, so a jump of this host's own clock must not matter.
    `perf_counter` is monotonic too, and stays real where a virtual Discord moves `monotonic`.
    """

    def __init__(self) -> None:
        self._offset: float | None = None

    def set(self, database_now: float) -> None:
        self._offset = database_now - time.perf_counter()

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() if self._offset is None else time.perf_counter() + self._offset

    def moment(self) -> datetime:
        """`now()`, to be held against a deadline."""
        return datetime.fromtimestamp(self.now(), UTC)


class Database:
    def __init__(self, url: Callable[[], str], *, max_connections: int = MAX_CONNECTIONS) -> None:
        """`url` is asked for at `connect`: an embedded server knows its own only then."""
        self._url = url
        self.max_connections = max_connections
        self._pool: Pool | None = None
        self.clock = DatabaseClock()

    @property
    def pool(self) -> Pool:
        if self._pool is None:
            raise RuntimeError("The database is not connected")
        return self._pool

    async def connect(self) -> None:
        """Open the pool and migrate. Raises StartupError, without the URL's password."""
        url = self._url()
        try:
            self._pool = await asyncpg.create_pool(
                url,
                min_size=0,  # its keeping of a floor would log a traceback a second in an outage
                max_size=self.max_connections,
                timeout=CONNECT_TIMEOUT_S,
                command_timeout=COMMAND_TIMEOUT_S,
                server_settings={"application_name": "punctual", "timezone": "UTC"},
            )
            await self._migrate()
            await self.sync_clock()
        except (*DatabaseUnavailable, OSError, asyncpg.PostgresError) as error:
            await self.close()
            why = one_line(error, url)
            raise StartupError(f"DATABASE_URL: PostgreSQL cannot be used: {why}") from None
        except (ValueError, OverflowError):
            # Its text quotes what was not understood, and that may be the password.
            raise StartupError("DATABASE_URL: it is not a URL that can be understood") from None

    async def close(self) -> None:
        """Safe to call twice. Connections that do not come home in time are cut."""
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                await asyncio.wait_for(pool.close(), CLOSE_TIMEOUT_S)
            except TimeoutError:
                pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        with _away_if_os_error():
            async with self.pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
                yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """Commit on leaving, roll back on an error; then keep what was promised.

        The promises are kept after the connection has gone back to the pool, so they may use
        the database, and Discord and Redis are never spoken to inside a transaction.
        """
        async with self.connection() as connection:
            transaction = Transaction(connection)
            async with connection.transaction():
                yield transaction
        await transaction.keep_promises()

    @asynccontextmanager
    async def exclusive(self, name: str) -> AsyncGenerator[bool]:
        """Hold the lock `name` across all processes; yields False if somebody else holds it.

        It is tied to a connection: PostgreSQL releases it when its holder is killed, and the
        pool (`pg_advisory_unlock_all`) when the connection comes back.
        """
        async with AsyncExitStack() as stack:
            with _away_if_os_error():
                connection = await stack.enter_async_context(
                    self.pool.acquire(timeout=ACQUIRE_TIMEOUT_S)
                )
                held = await connection.fetchval(
                    "select pg_try_advisory_lock(hashtextextended($1, 0))", name
                )
            yield bool(held)

    async def sync_clock(self) -> None:
        async with self.connection() as connection:
            self.clock.set(
                await connection.fetchval("select extract(epoch from clock_timestamp())::float8")
            )

    async def _migrate(self) -> None:
        """Apply what is missing and record it, all in one transaction, one process at a time."""
        async with self.connection() as connection, connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(hashtextextended('migrate', 0))")
            await connection.execute(
                "create table if not exists schema_migrations ("
                " name text primary key, applied_at timestamptz not null default now())"
            )
            applied = {
                row["name"] for row in await connection.fetch("select name from schema_migrations")
            }
            for path in sorted(MIGRATIONS.glob("*.sql")):
                if path.name not in applied:
                    await connection.execute(path.read_text(encoding="utf-8"))
                    await connection.execute(
                        "insert into schema_migrations (name) values ($1)", path.name
                    )
                    log.info("Applied migration %s", path.name)


@contextmanager
def _away_if_os_error() -> Generator[None]:
    """For what speaks to PostgreSQL and to nothing else. (TimeoutError is an OSError, too.)"""
    try:
        yield
    except OSError as error:
        raise DatabaseAwayError(" ".join(str(error).split()) or type(error).__name__) from error
