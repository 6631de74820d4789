"""The pool, transactions and their promises, the clock, and what an operator reads when PostgreSQL
is not there."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
import pytest

from domains import database as database_module
from domains.database import Database, DatabaseAwayError, DatabaseUnavailable, Subject
from domains.errors import StartupError
from tests.conftest import TEMPLATE, Servers
from tests.ticket_lifecycle.databases import scratch_database
from tests.waiting import eventually


@pytest.fixture(scope="module")
def database_url(servers: Servers) -> Generator[str]:
    """One for all: nothing here minds what the others wrote."""
    with scratch_database(servers.database_url, "database_tests", TEMPLATE) as url:
        yield url


@pytest.fixture
async def other_process(database_url: str) -> AsyncGenerator[Database]:
    database = Database(lambda: database_url)
    await database.connect()
    yield database
    await database.close()


def promise(heard: list[str], word: str) -> Callable[[], Awaitable[str]]:
    async def keep() -> str:
        heard.append(word)
        return word

    return keep


async def broken() -> None:
    raise RuntimeError("Redis is away")


INSERT = "insert into punctual.guild_settings (guild_id) values ($1)"


async def exists(database: Database, guild_id: int) -> bool:
    return await database.pool.fetchval(
        "select exists (select from punctual.guild_settings where guild_id = $1)", guild_id
    )


async def pid_of(connection: database_module.Connection) -> int:
    return await connection.fetchval("select pg_backend_pid()")


async def kill(database: Database, pid: int) -> None:
    await database.pool.execute("select pg_terminate_backend($1)", pid)
    await eventually(lambda: _is_gone(database, pid))


async def _is_gone(database: Database, pid: int) -> bool:
    return not await database.pool.fetchval(
        "select exists (select from pg_stat_activity where pid = $1)", pid
    )


# --- transactions


async def test_promises_are_kept_in_order_after_the_commit(
    database: Database, other_process: Database
) -> None:
    heard: list[str] = []

    async def look() -> None:
        heard.append(f"visible: {await exists(other_process, 1)}")

    async with database.transaction() as transaction:
        await transaction.connection.execute(INSERT, 1)
        transaction.after_commit(look)
        transaction.after_commit(promise(heard, "second"))
        transaction.after_commit(promise(heard, "third"))
        await asyncio.sleep(0)
        heard.append(f"inside: {await exists(other_process, 1)}")
    assert heard == ["inside: False", "visible: True", "second", "third"]


async def test_a_promise_has_the_result_of_what_it_did(database: Database) -> None:
    async with database.transaction() as transaction:
        kept = transaction.after_commit(promise([], "a job's id"))
        assert kept.result is None
    assert kept.result == "a job's id"


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError, KeyboardInterrupt])
async def test_a_rollback_keeps_no_promise(database: Database, error: type[BaseException]) -> None:
    heard: list[str] = []
    with pytest.raises(error):
        async with database.transaction() as transaction:
            await transaction.connection.execute(INSERT, 2)
            transaction.after_commit(promise(heard, "scheduled"))
            raise error
    assert heard == []
    assert not await exists(database, 2)


async def test_a_commit_that_fails_keeps_no_promise(database: Database) -> None:
    heard: list[str] = []
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with database.transaction() as transaction:
            await transaction.connection.execute(
                "create temporary table parent (id bigint primary key) on commit drop"
            )
            await transaction.connection.execute(
                "create temporary table child (id bigint references parent"
                " deferrable initially deferred) on commit drop"
            )
            await transaction.connection.execute("insert into child values (1)")
            transaction.after_commit(promise(heard, "scheduled"))
    assert heard == []


async def test_a_transaction_whose_connection_dies_keeps_no_promise(
    database: Database, other_process: Database
) -> None:
    heard: list[str] = []
    with pytest.raises(DatabaseUnavailable):
        async with database.transaction() as transaction:
            await transaction.connection.execute(INSERT, 3)
            transaction.after_commit(promise(heard, "scheduled"))
            await kill(other_process, await pid_of(transaction.connection))
    assert heard == []
    assert not await exists(database, 3)


async def test_a_promise_that_cannot_be_kept_undoes_nothing_and_stops_nobody(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []
    async with database.transaction() as transaction:
        await transaction.connection.execute(INSERT, 4)
        failed = transaction.after_commit(broken)
        transaction.after_commit(promise(heard, "the next"))
    assert failed.result is None
    assert heard == ["the next"]
    assert await exists(database, 4)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "Redis is away" in caplog.text


async def test_a_promise_may_use_the_database_even_if_there_is_one_connection(
    database_url: str,
) -> None:
    database = Database(lambda: database_url, max_connections=1)
    await database.connect()
    seen: list[bool] = []

    async def look() -> None:
        seen.append(await exists(database, 5))

    try:
        async with asyncio.timeout(10):
            async with database.transaction() as transaction:
                await transaction.connection.execute(INSERT, 5)
                transaction.after_commit(look)
    finally:
        await database.close()
    assert seen == [True]


async def test_a_cancelled_transaction_gives_its_connection_back(database_url: str) -> None:
    database = Database(lambda: database_url, max_connections=1)
    await database.connect()

    async def work() -> None:
        async with database.transaction() as transaction:
            await transaction.connection.execute(INSERT, 6)
            await transaction.connection.execute("select pg_sleep(60)")

    try:
        task = asyncio.create_task(work())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(10):
            assert not await exists(database, 6)
    finally:
        await database.close()


# --- whom a commit touches


@dataclass
class Follower:
    """In the scheduler's place."""

    heard: list[tuple[list[Subject], bool]] = field(default_factory=list[Any])
    error: Exception | None = None

    async def __call__(self, touched: Sequence[Subject], *, lazily: bool) -> None:
        self.heard.append((list(touched), lazily))
        if self.error is not None:
            raise self.error


async def test_who_keeps_the_timers_hears_once_whom_a_commit_touched(database: Database) -> None:
    database.on_touched = follower = Follower()
    async with database.transaction() as transaction:
        transaction.touch("ticket", 2, 1)
        transaction.touch("block", 1)
        transaction.touch("ticket", 1, 3)
        assert follower.heard == []
    async with database.transaction() as transaction:
        transaction.touch("ticket", 4)
        transaction.follow_lazily()
    async with database.transaction():
        pass
    everybody = [("ticket", 2), ("ticket", 1), ("block", 1), ("ticket", 3)]
    assert follower.heard == [(everybody, False), ([("ticket", 4)], True)]


async def test_a_rollback_touches_nobody(database: Database) -> None:
    database.on_touched = follower = Follower()
    with pytest.raises(ValueError):
        async with database.transaction() as transaction:
            transaction.touch("ticket", 1)
            raise ValueError
    assert follower.heard == []


async def test_timers_that_could_not_follow_undo_nothing_and_stop_nobody(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database.on_touched = Follower(error=RuntimeError("Redis is away"))
    heard: list[str] = []
    async with database.transaction() as transaction:
        await transaction.connection.execute(INSERT, 7)
        transaction.touch("ticket", 1)
        transaction.after_commit(promise(heard, "kept"))
    assert heard == ["kept"]
    assert await exists(database, 7)
    assert "Redis is away" in caplog.text


# --- the clock


async def test_the_clock_is_postgresqls_and_survives_a_jump_of_the_hosts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 100_000)
    before = await database.pool.fetchval("select extract(epoch from clock_timestamp())::float8")
    now = database.clock.now()
    after = await database.pool.fetchval("select extract(epoch from clock_timestamp())::float8")
    assert before - 1 < now < after + 1
    await database.sync_clock()
    assert abs(database.clock.now() - real()) < 5


async def test_the_clock_goes_forward(database: Database) -> None:
    readings = [database.clock.now() for _ in range(1_000)]
    assert readings == sorted(readings)


def test_before_it_is_set_the_clock_is_the_hosts() -> None:
    assert abs(database_module.DatabaseClock().now() - time.time()) < 5


# --- a server that is not there

PASSWORD = "s3cr3t/w0rd?with#everything@in:it %"


def only_line(error: StartupError, status: int = 1) -> str:
    text = str(error)
    assert error.status == status
    assert text.startswith("DATABASE_URL: ")
    assert "\n" not in text
    assert len(text) < 400
    return text


async def refusal(url: str) -> StartupError:
    database = Database(lambda: url)
    with pytest.raises(StartupError) as error:
        await database.connect()
    await database.close()
    return error.value


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://bot:{}@127.0.0.1:{port}/punctual",
        "postgresql://127.0.0.1:{port}/punctual?user=bot&password={}",
        "postgresql://bot:{}@/punctual?host=/no/such/directory",
        "postgresql://bot:{}@no-such-host.invalid/punctual",
    ],
)
@pytest.mark.parametrize("password", ["s3cr3t", quote(PASSWORD, safe="")])
async def test_an_unreachable_database_is_one_line_without_the_password(
    url: str, password: str
) -> None:
    error = await refusal(url.format(password, port=free_port()))
    only_line(error)
    shown = "".join(traceback.format_exception(error))
    assert "s3cr3t" not in shown
    assert password not in shown


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://bot:{}@127.0.0.1:{port}/punctual?sslmode=nonsense",
        "postgresql://bot:{}@127.0.0.1:99999/punctual",
        "postgresql://bot:{}@127.0.0.1:port/punctual",
        "mysql://bot:{}@127.0.0.1/punctual",
        "postgresql://bot:{}@[127.0.0.1/punctual",
    ],
)
@pytest.mark.parametrize("password", ["s3cr3t", quote(PASSWORD, safe="")])
async def test_an_address_that_cannot_be_understood_is_a_wrong_setting(
    url: str, password: str
) -> None:
    """Settings refuse it before; a program that makes a Database itself meets it here."""
    error = await refusal(url.format(password, port=free_port()))
    only_line(error, status=2)
    shown = "".join(traceback.format_exception(error))
    assert "s3cr3t" not in shown
    assert password not in shown


@pytest.mark.parametrize("password", ["s3cr3t/w0rd", "s3cr3t#w0rd", "s3cr3t?w0rd", "s3cr3t@w0rd"])
async def test_a_password_that_should_have_been_encoded_does_not_show_either(
    password: str,
) -> None:
    error = await refusal(f"postgresql://bot:{password}@127.0.0.1:{free_port()}/punctual")
    shown = "".join(traceback.format_exception(error))
    only_line(error, status=1 if "@" in password else 2)
    assert "s3cr3t" not in shown
    assert "w0rd" not in shown


async def test_a_wrong_password_is_said_without_it(database_url: str) -> None:
    credentials = database_url.partition("://")[2].partition("@")[0]
    right = credentials.partition(":")[2]
    error = await refusal(database_url.replace(right, quote(PASSWORD, safe="")))
    text = only_line(error)
    assert "password" in text
    assert PASSWORD not in text
    assert quote(PASSWORD, safe="") not in text
    assert right not in text


async def test_a_database_that_does_not_exist_is_named(database_url: str) -> None:
    error = await refusal(database_url.replace("/database_tests", "/no_such_database"))
    assert "no_such_database" in only_line(error)


@pytest.mark.parametrize("option", ["no_such_parameter=1", "statement_timeout=soon"])
async def test_an_option_that_the_server_refuses_is_a_wrong_setting(
    database_url: str, option: str
) -> None:
    separator = "&" if "?" in database_url else "?"
    only_line(await refusal(f"{database_url}{separator}{option}"), status=2)


async def test_a_database_of_another_encoding_is_refused(database_url: str) -> None:
    """It would pass, and then fail on the first emoji."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "create database latin encoding 'LATIN1' locale 'C' locale_provider libc template template0"
    )
    try:
        url = urlunsplit(urlsplit(database_url)._replace(path="/latin"))
        text = only_line(await refusal(url), status=2)
        assert "LATIN1" in text
        assert "createdb --encoding=UTF8" in text
    finally:
        await connection.execute("drop database latin with (force)")
        await connection.close()


async def test_a_server_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "CONNECT_TIMEOUT_S", 0.2)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        only_line(await refusal(f"postgresql://bot:s3cr3t@127.0.0.1:{port}/punctual"))


async def test_what_failed_to_connect_is_not_connected(database_url: str) -> None:
    database = Database(lambda: "postgresql://127.0.0.1:1/nothing")
    with pytest.raises(StartupError):
        await database.connect()
    with pytest.raises(DatabaseAwayError, match="not connected"):
        _ = database.pool
    await database.close()


async def test_the_url_is_asked_for_when_connecting(database_url: str) -> None:
    """An embedded server knows its own only then."""
    known: list[str] = []
    database = Database(lambda: known[-1])
    known.append(database_url)
    await database.connect()
    assert await database.pool.fetchval("select 1") == 1
    await database.close()


# --- closing, and losing the server


async def test_closing_twice_is_closing_once(database_url: str) -> None:
    database = Database(lambda: database_url)
    await database.close()
    await database.connect()
    await database.close()
    await database.close()


async def test_closing_cuts_connections_that_do_not_come_home(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "CLOSE_TIMEOUT_S", 0.1)
    database = Database(lambda: database_url)
    await database.connect()
    async with asyncio.timeout(10):
        with pytest.raises(DatabaseUnavailable):
            async with database.connection() as connection:
                await database.close()
                await connection.fetchval("select 1")


async def test_after_its_connections_were_cut_the_pool_makes_new_ones(
    database: Database, other_process: Database
) -> None:
    async with database.connection() as connection:
        pid = await pid_of(connection)
    await kill(other_process, pid)

    async def works() -> bool:
        try:
            return await database.pool.fetchval("select true")
        except DatabaseUnavailable:
            return False

    await eventually(works)


async def test_a_statement_that_is_cut_off_finds_the_database_unavailable(
    database: Database, other_process: Database
) -> None:
    async with database.connection() as connection:
        pid = await pid_of(connection)
        sleeping = asyncio.create_task(connection.execute("select pg_sleep(60)"))
        await eventually(lambda: _is_busy(other_process, pid))
        await kill(other_process, pid)
        with pytest.raises(DatabaseUnavailable):
            await sleeping


async def _is_busy(database: Database, pid: int) -> bool:
    return await database.pool.fetchval(
        "select state = 'active' from pg_stat_activity where pid = $1", pid
    )


@pytest.mark.parametrize(
    "error",
    [
        DatabaseAwayError,
        asyncpg.CannotConnectNowError,
        asyncpg.AdminShutdownError,
        asyncpg.CrashShutdownError,
        asyncpg.TooManyConnectionsError,
        asyncpg.ConnectionDoesNotExistError,
        asyncpg.InterfaceError,
    ],
)
def test_a_server_that_starts_stops_or_is_full_is_unavailable(error: type[Exception]) -> None:
    assert issubclass(error, DatabaseUnavailable)


@pytest.mark.parametrize(
    "error", [asyncpg.UniqueViolationError, asyncpg.PostgresSyntaxError, ValueError, OSError]
)
def test_a_server_that_says_no_is_there(error: type[Exception]) -> None:
    assert not issubclass(error, DatabaseUnavailable)


async def test_the_server_sees_who_is_there_and_speaks_utc(database: Database) -> None:
    row = await database.pool.fetchrow(
        "select current_setting('application_name'), current_setting('timezone')"
    )
    assert row is not None
    assert tuple(row) == ("punctual", "UTC")
