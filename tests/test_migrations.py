"""Migrations: forward only, each once, all or nothing, one process at a time, into a schema of
their own; and the move of an older version's tables into it."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from domains import database as database_module
from domains import migrating
from domains.database import Database
from domains.errors import StartupError
from domains.migrating import MIGRATIONS, TABLES
from domains.ticket_lifecycle.explanation import Outlook
from domains.ticket_lifecycle.models import RequestStatus, TicketStatus
from domains.ticket_lifecycle.store import requests, tickets
from tests.conftest import Servers
from tests.fakes import FakeChannel
from tests.ticket_lifecycle.databases import execute, scratch_database
from tests.ticket_lifecycle.helpdesk import HelpDesk

NAMES = sorted(path.name for path in MIGRATIONS.glob("*.sql"))
OLDER = NAMES[:2]
INSERT = "insert into punctual.tickets (guild_id, number, opener_id) values (1, $1, 10)"

_numbers = itertools.count(1)


@pytest.fixture
def empty_database_url(servers: Servers) -> Generator[str]:
    with scratch_database(servers.database_url, f"migrations_{next(_numbers)}") as url:
        yield url


@pytest.fixture
def migrations(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the migrations that a test may add to."""
    copy = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, copy)
    monkeypatch.setattr(migrating, "MIGRATIONS", copy)
    return copy


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[Database]:
    database = Database(lambda: url)
    await database.connect()
    try:
        yield database
    finally:
        await database.close()


async def refusal(url: str) -> str:
    with pytest.raises(StartupError) as error:
        await Database(lambda: url).connect()
    assert error.value.status == 1
    assert "\n" not in str(error.value)
    return str(error.value)


async def applied(database: Database) -> list[str]:
    rows = await database.pool.fetch(
        "select name from punctual.schema_migrations order by applied_at, name"
    )
    return [row["name"] for row in rows]


async def tables(url: str, schema: str = "punctual") -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "select table_name from information_schema.tables where table_schema = $1", schema
        )
    finally:
        await connection.close()
    return {row["table_name"] for row in rows}


async def test_a_new_database_gets_every_migration_in_order_and_nothing_in_public(
    empty_database_url: str,
) -> None:
    async with connected(empty_database_url) as database:
        assert await applied(database) == NAMES
    assert await tables(empty_database_url) >= {*TABLES, "schema_migrations", "effects"}
    assert await tables(empty_database_url, "public") == set()


async def test_connecting_again_changes_nothing(empty_database_url: str) -> None:
    look = "select * from punctual.schema_migrations order by name"
    async with connected(empty_database_url) as database:
        before, id_ = await database.pool.fetch(look), database.installation_id
        await database.pool.execute(INSERT, 1)
    async with connected(empty_database_url) as database:
        assert await database.pool.fetch(look) == before
        assert database.installation_id == id_
        assert await database.pool.fetchval("select count(*) from punctual.tickets") == 1


async def test_processes_that_start_at_once_migrate_once_and_wait_for_who_is_slow(
    empty_database_url: str, migrations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the time limit of a statement is, and of the waiting for a table."""
    monkeypatch.setattr(database_module, "COMMAND_TIMEOUT_S", 0.2)
    monkeypatch.setattr(migrating, "LOCK_TIMEOUT", timedelta(seconds=0.2))
    (migrations / "9999_slow.sql").write_text("select pg_sleep(0.6);", encoding="utf-8")
    databases = [Database(lambda: empty_database_url) for _ in range(4)]
    try:
        await asyncio.gather(*(database.connect() for database in databases))
        assert await applied(databases[0]) == [*NAMES, "9999_slow.sql"]
        assert len({database.installation_id for database in databases}) == 1
    finally:
        await asyncio.gather(*(database.close() for database in databases))


async def test_a_failing_migration_leaves_nothing(
    empty_database_url: str, migrations: Path
) -> None:
    broken = migrations / "9999_broken.sql"
    broken.write_text(
        "create table half_done (id bigint);\nalter table no_such_table add column x bigint;\n",
        encoding="utf-8",
    )
    assert "no_such_table" in await refusal(empty_database_url)
    assert await tables(empty_database_url) == set()
    broken.write_text("create table half_done (id bigint);\n", encoding="utf-8")
    async with connected(empty_database_url) as database:
        assert await applied(database) == [*NAMES, "9999_broken.sql"]


async def test_a_failing_upgrade_leaves_what_was_there(
    empty_database_url: str, migrations: Path
) -> None:
    async with connected(empty_database_url) as database:
        await database.pool.execute(INSERT, 1)
    (migrations / "9998_good.sql").write_text("drop table punctual.heartbeat;", encoding="utf-8")
    (migrations / "9999_broken.sql").write_text(
        "delete from punctual.tickets; oops;", encoding="utf-8"
    )
    assert "oops" in await refusal(empty_database_url)
    assert "heartbeat" in await tables(empty_database_url)
    (migrations / "9999_broken.sql").unlink()
    (migrations / "9998_good.sql").unlink()
    async with connected(empty_database_url) as database:
        assert await applied(database) == NAMES
        assert await database.pool.fetchval("select count(*) from punctual.tickets") == 1


async def test_an_upgrade_keeps_what_is_there_and_the_older_version_can_go_on_and_start_again(
    empty_database_url: str, migrations: Path
) -> None:
    """While one process is new and the other not yet: a `pre_` migration only adds."""
    newest = migrations / "9999_pre_mood.sql"
    async with connected(empty_database_url) as older:
        ticket_id = await older.pool.fetchval(f"{INSERT} returning id", 1)
        async with older.connection() as connection:
            before = await tickets.get(connection, ticket_id)
            newest.write_text(
                "alter table tickets add column mood text not null default 'calm';",
                encoding="utf-8",
            )
            async with connected(empty_database_url) as newer:
                assert await applied(newer) == [*NAMES, newest.name]
            assert await tickets.get(connection, ticket_id) == before
    newest.unlink()
    async with connected(empty_database_url) as older:
        assert await applied(older) == [*NAMES, newest.name]
        assert await older.pool.fetchval("select mood from punctual.tickets") == "calm"


async def test_a_schema_that_only_a_newer_version_understands_is_refused_in_one_line(
    empty_database_url: str, migrations: Path
) -> None:
    for name in ("9998_pre_mood.sql", "9999_post_mood.sql"):
        (migrations / name).write_text("select 1;", encoding="utf-8")
    async with connected(empty_database_url):
        pass
    for name in ("9998_pre_mood.sql", "9999_post_mood.sql"):
        (migrations / name).unlink()
    told = await refusal(empty_database_url)
    assert "newer version" in told
    assert "9999_post_mood.sql" in told


async def test_a_migration_that_was_changed_after_it_was_applied_is_refused_in_one_line(
    empty_database_url: str, migrations: Path
) -> None:
    added = migrations / "9999_added.sql"
    added.write_text("create table added (id bigint);", encoding="utf-8")
    async with connected(empty_database_url):
        pass
    added.write_text("create table added (id bigint, more bigint);", encoding="utf-8")
    assert "9999_added.sql was changed" in await refusal(empty_database_url)


async def test_a_table_that_another_program_holds_is_waited_for_and_then_named_in_one_line(
    empty_database_url: str,
    migrations: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(migrating, "LOCK_TIMEOUT", timedelta(seconds=0.05))
    async with connected(empty_database_url) as other:
        (migrations / "9999_mood.sql").write_text(
            "alter table tickets add column mood text;", encoding="utf-8"
        )
        async with other.transaction() as transaction:
            await transaction.connection.fetch("select from punctual.tickets")
            assert "holds a lock" in await refusal(empty_database_url)
            assert len(caplog.messages) == migrating.LOCK_TRIES - 1
            starting = asyncio.create_task(Database(lambda: empty_database_url).connect())
            await asyncio.sleep(0.1)
    await starting


# --- the move out of `public`


async def make_older_installation(url: str, *statements: str) -> None:
    """As the last version before the move has made it."""
    await execute(
        url,
        """create table schema_migrations (
               name text primary key, applied_at timestamptz not null default now())""",
        *(path.read_text(encoding="utf-8") for path in map(MIGRATIONS.joinpath, OLDER)),
        *(f"insert into schema_migrations (name) values ('{name}')" for name in OLDER),
        *statements,
    )


HEARTBEAT = "insert into heartbeat (seen_at) values (now() - interval '{}')"
WRONG = "the bot lacks the permission Manage Channels in #ticket-0011"
HALF_DONE = f"""
insert into guild_settings (guild_id, support_role_ids) values (1, '{{7}}');
insert into tickets (guild_id, number, channel_id, opener_id, opening, opened_at)
    select 1, n, case when n not in (1, 8) then n end, 10 + n, n in (1, 2, 8),
           now() - interval '1 hour'
    from generate_series(1, 8) n;
insert into tickets (guild_id, number, channel_id, opener_id, status, closed_by_id, close_reason,
                     close_cause, close_step, close_attempts, close_failures, close_retry_at)
    select 1, 8 + n, 8 + n, 10, 'closing', 20, 'done', 'expired', step, 2, 1,
           now() + interval '4 minutes'
    from unnest(array[null, 'transcript', 'log', 'dm', 'channel']) with ordinality s (step, n);
update tickets set attention = '{WRONG}', attention_at = now() where number = 11;
insert into close_requests (ticket_id, requested_by_id, reason, auto_close_at, announced,
                            message_id, grace_at, grace_announced, shown, status)
    select id, 20, 'Solved?', date_trunc('milliseconds', now()) + interval '2 hours',
           number <> 3, case when number <> 3 then 1000000 + number end,
           case when number = 5 then now() end, number <> 5, number not in (4, 5),
           case when number = 4 then 'denied' else 'pending' end
    from tickets where number between 3 and 6;
insert into close_requests (ticket_id, requested_by_id, auto_close_at, message_id, status)
    select id, 20, now(), 1, 'expired' from tickets where number > 8;
insert into ticket_events (ticket_id, event, actor_id, detail, late_ms)
    select id, 'opened', opener_id, null, null from tickets
    union all select id, 'expired', null, 'Solved?', 7 from tickets where status = 'closing';
"""
"""1: its channel not noted. 2: not welcomed. 3: not asked. 4: the answer not shown. 5: the grace
not announced. 6: asked. 7: nothing. 8: no channel. 9 to 13: closing, with no step done, and so on;
11 waits for a person."""


async def moved(url: str, tmp_path: Path) -> tuple[HelpDesk, Database]:
    """Into a world in which the channels of the tickets stand."""
    database = Database(lambda: url)
    await database.connect()
    desk = HelpDesk.in_a_new_world(database, tmp_path / "transcripts")
    for record in await database.pool.fetch("select id, number from punctual.tickets"):
        if record["number"] not in (8, 13):
            channel = FakeChannel(record["number"], record["id"])
            desk.channels.channels[channel.id] = channel
    return desk, database


async def test_what_an_older_version_had_half_done_goes_on_after_the_move(
    empty_database_url: str, tmp_path: Path
) -> None:
    await make_older_installation(empty_database_url, HEARTBEAT.format("1 hour"), HALF_DONE)
    desk, database = await moved(empty_database_url, tmp_path)
    try:
        assert await tables(empty_database_url, "public") == set()
        assert await applied(database) == NAMES
        ids = {
            record["number"]: record["id"]
            for record in await database.pool.fetch("select id, number from punctual.tickets")
        }
        waiting = {
            number: [effect.kind for effect in await desk.lifecycle.pending_effects(id_)]
            for number, id_ in ids.items()
        }
        steps = ["save-transcript", "log-close", "dm-opener", "remove-channel"]
        assert waiting == {
            1: ["open-channel", "welcome"],
            2: ["welcome"],
            3: ["ask"],
            4: ["sync-request"],
            5: ["announce-grace", "sync-request"],
            6: [],
            7: [],
            8: ["open-channel", "welcome"],
            **{9 + done: steps[min(done, 3) :] for done in range(5)},
        }
        stuck = await desk.lifecycle.explain(ids[11])
        assert stuck is not None
        assert stuck.outlook is Outlook.NEEDS_ATTENTION
        assert stuck.attention == {"code": "other", "text": WRONG}

        await desk.listen()
        await desk.deliver()
        assert await database.pool.fetch("select kind from punctual.effects") == []
        assert sorted(desk.channels.welcomed) == [ids[1], ids[2]]
        assert await desk.lifecycle.ticket(ids[8]) is None, "its member has gone on"
        [asked, denied, in_grace, pending] = [
            request
            for number in range(3, 7)
            for request in await desk.requests(await desk.ticket(ids[number]))
        ]
        assert desk.channels.asked == [asked.id]
        assert desk.shown_outcomes(denied) == {"denied"}
        assert in_grace.id in desk.channels.deadlines
        assert desk.channels.announcements == [(ids[5], "grace")]
        for request in (asked, in_grace, pending):
            assert request.status is RequestStatus.PENDING
            assert await desk.has_timer(request)
        closed = [await desk.ticket(ids[number]) for number in range(9, 14)]
        assert {ticket.status for ticket in closed} == {TicketStatus.CLOSED}
        assert sorted(t for t, _ in desk.channels.logged) == [ids[9], ids[10]]
        assert sorted(desk.channels.dms) == [ids[9], ids[10], ids[11]]
        assert sorted(desk.channels.removed) == [ids[9], ids[10], ids[11], ids[12]]
    finally:
        await database.close()


async def test_what_was_written_before_the_move_is_still_there(
    empty_database_url: str, tmp_path: Path
) -> None:
    await make_older_installation(empty_database_url, HALF_DONE)
    desk, database = await moved(empty_database_url, tmp_path)
    try:
        assert (await desk.lifecycle.guild_settings(1)).support_role_ids == (7,)
        ticket = await desk.lifecycle.require_ticket(1, 9)
        assert (ticket.number, ticket.close_reason) == (9, "done")
        history = await desk.lifecycle.events(ticket.id)
        told = [(event.event, event.late_ms, event.detail) for event in history]
        assert told == [("opened", None, None), ("expired", 7, "Solved?")]
        guilds = "select array_agg(distinct guild_id) from punctual.ticket_events"
        assert await database.pool.fetchval(guilds) == [1]
        assert len({(await desk.open(opener)).id for opener in (98, 99)}) == 2
    finally:
        await database.close()


async def test_a_move_that_fails_leaves_the_older_installation_as_it_was(
    empty_database_url: str, migrations: Path
) -> None:
    await make_older_installation(empty_database_url, HALF_DONE)
    (migrations / "9999_broken.sql").write_text("oops;", encoding="utf-8")
    assert "oops" in await refusal(empty_database_url)
    assert await tables(empty_database_url, "public") == {*TABLES, "schema_migrations"}
    assert await tables(empty_database_url) == set()


@pytest.fixture
def quick_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "HEARTBEAT_WATCH_S", 0.3)


@pytest.mark.usefixtures("quick_look")
async def test_while_an_older_version_runs_nothing_is_moved(empty_database_url: str) -> None:
    await make_older_installation(empty_database_url, HEARTBEAT.format("1 second"))

    async def run() -> None:
        while True:
            await execute(empty_database_url, "update heartbeat set seen_at = clock_timestamp()")

    older = asyncio.create_task(run())
    try:
        assert "older version of Punctual is running" in await refusal(empty_database_url)
    finally:
        older.cancel()
        await asyncio.wait([older])
    assert await tables(empty_database_url, "public") == {*TABLES, "schema_migrations"}
    async with connected(empty_database_url) as database:
        assert await applied(database) == NAMES, "it has stopped, though a moment ago"


async def test_an_older_version_that_was_stopped_long_ago_is_not_waited_for(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "HEARTBEAT_WATCH_S", 3600)
    await make_older_installation(empty_database_url, HEARTBEAT.format("1 minute"))
    async with asyncio.timeout(30), connected(empty_database_url) as database:
        assert await applied(database) == NAMES


@pytest.mark.parametrize(
    "columns",
    ["version bigint", "version text, applied_at timestamptz", "name text, applied_at timestamptz"],
)
async def test_what_somebody_else_has_in_public_is_left_alone(
    empty_database_url: str, columns: str
) -> None:
    await execute(
        empty_database_url,
        f"create table schema_migrations ({columns})",
        "create table tickets (id text)",
        "insert into tickets values ('theirs')",
    )
    async with connected(empty_database_url) as database:
        await database.pool.execute(INSERT, 1)
        assert await database.pool.fetch("select * from public.tickets") == [("theirs",)]
    assert await tables(empty_database_url, "public") == {"schema_migrations", "tickets"}


# --- what the schema holds to


async def test_all_times_have_a_zone_and_all_ids_are_bigint(database: Database) -> None:
    columns = await database.pool.fetch(
        "select table_name, column_name, udt_name from information_schema.columns"
        " where table_schema = 'punctual'"
    )
    ids = {
        row["udt_name"]
        for row in columns
        if row["column_name"].split("_")[-1] == "id" and row["table_name"] != "installation"
    }
    assert ids == {"int8"}
    times = {row["udt_name"] for row in columns if row["column_name"].split("_")[-1] == "at"}
    assert times == {"timestamptz"}
    assert "timestamp" not in {row["udt_name"] for row in columns}


async def test_the_tables_have_the_columns_that_others_rely_on(database: Database) -> None:
    promised = {
        "tickets": "id guild_id number channel_id opener_id subject status exclude_from_autoclose "
        "claimed_by_id opened_at closed_at closed_by_id close_reason attention",
        "close_requests": "id ticket_id requested_by_id reason auto_close_at status requested_at "
        "message_id resolved_at resolved_by_id",
        "guild_settings": "guild_id support_role_ids category_id log_channel_id",
        "ticket_events": "id ticket_id",
    }
    for table, columns in promised.items():
        rows = await database.pool.fetch(
            "select column_name from information_schema.columns"
            " where table_schema = 'punctual' and table_name = $1",
            table,
        )
        assert {row["column_name"] for row in rows} >= set(columns.split())


async def test_a_ticket_has_at_most_one_pending_request(database: Database) -> None:
    ticket_id = await database.pool.fetchval(f"{INSERT} returning id", 1)
    async with database.connection() as connection:
        await requests.insert(connection, ticket_id, 20, None, None)
        with pytest.raises(asyncpg.UniqueViolationError):
            await requests.insert(connection, ticket_id, 20, None, timedelta(hours=1))
        await connection.execute("update punctual.close_requests set status = 'denied'")
        await requests.insert(connection, ticket_id, 20, None, None)


@pytest.mark.parametrize("table", ["tickets", "close_requests"])
async def test_no_status_can_be_made_up(database: Database, table: str) -> None:
    ticket_id = await database.pool.fetchval(f"{INSERT} returning id", 1)
    async with database.connection() as connection:
        await requests.insert(connection, ticket_id, 20, None, None)
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(f"update punctual.{table} set status = 'asleep'")


async def test_a_number_is_given_once_in_a_guild(database: Database) -> None:
    insert = "insert into punctual.tickets (guild_id, number, opener_id) values ($1, $2, 10)"
    await database.pool.execute(insert, 1, 1)
    await database.pool.execute(insert, 2, 1)
    with pytest.raises(asyncpg.UniqueViolationError):
        await database.pool.execute(insert, 1, 1)
