"""PostgreSQL: the pool, and transactions that can promise something for after their commit."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import asyncpg

from domains.errors import WRONG_SETTING, StartupError
from domains.migrating import migrate
from domains.redaction import one_line
from domains.server_urls import UNREADABLE_URL

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5
COMMAND_TIMEOUT_S = 30
ACQUIRE_TIMEOUT_S = 30
CLOSE_TIMEOUT_S = 10
MAX_CONNECTIONS = 20
STATEMENT_CACHE = 100
"""Prepared statements that a connection keeps."""
REFUSED_OPTIONS = (
    asyncpg.UndefinedObjectError,  # an option that the server does not know
    asyncpg.InvalidParameterValueError,
    asyncpg.CantChangeRuntimeParamError,
)
"""What the server says of a URL with a wrong option: starting again would not change it."""
SERVER_SETTINGS = {"application_name": "punctual", "timezone": "UTC"}

T = TypeVar("T")


class DatabaseAwayError(Exception):
    """The server could not be reached, or did not answer in time."""


DatabaseUnavailable = (
    DatabaseAwayError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,  # a failover: this server takes no writes any more
    asyncpg.TransactionRollbackError,  # a deadlock, or a serialization that failed: try again
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


Subject = tuple[str, int]
"""What a transaction changed, for whom that matters after the commit: `("ticket", 12)`."""


class Follow(Protocol):
    """What is done after a commit that touched something."""

    async def __call__(self, touched: Sequence[Subject], *, lazily: bool) -> None: ...


class Transaction:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.touched: dict[Subject, None] = {}
        self.lazily = False
        self._promises: list[AfterCommit[Any]] = []

    def follow_lazily(self) -> None:
        """Nobody waits for the timers to follow: it may be done a moment later, for many at
        once."""
        self.lazily = True

    def touch(self, owner: str, *ids: int) -> None:
        """Say that something was changed that timers may depend on: after the commit, those of
        this owner are made equal to what PostgreSQL wants now."""
        self.touched.update(dict.fromkeys((owner, id_) for id_ in ids))

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
    def __init__(
        self,
        url: Callable[[], str],
        *,
        max_connections: int = MAX_CONNECTIONS,
        statement_cache: int = STATEMENT_CACHE,
    ) -> None:
        """`url` is asked for at `connect`: an embedded server knows its own only then.

        With a `statement_cache` of 0 every statement runs in a transaction: a PgBouncer that
        pools transactions gives no other promise that its parts meet the same server.
        """
        self._url = url
        self.max_connections = max_connections
        self._statement_cache = statement_cache
        self._pool: Pool | None = None
        self._installation_id: str | None = None
        self.clock = DatabaseClock()
        self.on_touched: Follow | None = None
        """Called after each commit that touched something; set by who keeps the timers."""

    @property
    def installation_id(self) -> str:
        """Made once for a database. Known once it is connected."""
        if self._installation_id is None:
            raise RuntimeError("The database is not connected")
        return self._installation_id

    @property
    def pool(self) -> Pool:
        """After `close` it is as if the server were away: Discord may still have something to
        tell."""
        if self._pool is None:
            raise DatabaseAwayError("The database is not connected")
        return self._pool

    async def connect(self) -> None:
        """Open the pool and migrate. Raises StartupError, without the URL's password."""
        url = self._url()
        try:
            await self._migrate(url)
            self._pool = await asyncpg.create_pool(
                url,
                min_size=0,  # its keeping of a floor would log a traceback a second in an outage
                max_size=self.max_connections,
                timeout=CONNECT_TIMEOUT_S,
                command_timeout=COMMAND_TIMEOUT_S,
                statement_cache_size=self._statement_cache,
                server_settings=SERVER_SETTINGS,
            )
            async with self.connection() as connection:
                self._installation_id = await connection.fetchval(
                    "select id from punctual.installation"
                )
            await self.sync_clock()
        except (ValueError, OverflowError):
            # Its text quotes what was not understood, and that may be the password.
            await self.close()
            raise StartupError(f"DATABASE_URL: {UNREADABLE_URL}", status=WRONG_SETTING) from None
        except (*DatabaseUnavailable, OSError, asyncpg.PostgresError) as error:
            await self.close()
            raise StartupError(
                f"DATABASE_URL: PostgreSQL cannot be used: {one_line(error, url)}",
                status=WRONG_SETTING if isinstance(error, REFUSED_OPTIONS) else 1,
            ) from None

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
                if self._statement_cache:
                    yield connection
                else:
                    async with connection.transaction():
                        yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """Commit on leaving, roll back on an error; then keep what was promised.

        The promises are kept after the connection has gone back to the pool, so they may use
        the database, and Discord and Redis are never spoken to inside a transaction.
        """
        with _away_if_os_error():
            async with self.pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
                transaction = Transaction(connection)
                async with connection.transaction():
                    yield transaction
        if transaction.touched and self.on_touched is not None:
            follow = partial(self.on_touched, list(transaction.touched), lazily=transaction.lazily)
            await AfterCommit(follow).keep()
        await transaction.keep_promises()

    async def sync_clock(self) -> None:
        async with self.connection() as connection:
            self.clock.set(
                await connection.fetchval("select extract(epoch from clock_timestamp())::float8")
            )

    async def _migrate(self, url: str) -> None:
        """On a connection without a command timeout: a migration may take its time."""
        connection = await asyncpg.connect(
            url, timeout=CONNECT_TIMEOUT_S, server_settings=SERVER_SETTINGS, statement_cache_size=0
        )
        try:
            await require_utf8(connection)
            await migrate(connection)
        finally:
            await connection.close(timeout=CLOSE_TIMEOUT_S)


async def require_utf8(connection: asyncpg.Connection[asyncpg.Record] | Connection) -> None:
    """Any other encoding passes, and then fails on the first emoji. Raises StartupError."""
    encoding = await connection.fetchval("select current_setting('server_encoding')")
    if encoding != "UTF8":
        raise StartupError(
            f"DATABASE_URL: the database's encoding is {encoding}, which cannot hold every "
            "character; make one with: createdb --encoding=UTF8 --template=template0 NAME",
            status=WRONG_SETTING,
        )


@contextmanager
def _away_if_os_error() -> Generator[None]:
    """For what speaks to PostgreSQL and to nothing else. (TimeoutError is an OSError, too.)"""
    try:
        yield
    except OSError as error:
        raise DatabaseAwayError(" ".join(str(error).split()) or type(error).__name__) from error
