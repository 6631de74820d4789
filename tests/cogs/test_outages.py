"""Without Redis deadlines still hold; without PostgreSQL people read a sentence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from domains.database import DatabaseUnavailable
from domains.settings import Settings
from tests.cogs.proxy import SocketProxy, postgres_proxy, redis_proxy
from tests.cogs.replies import refusal, reply
from tests.cogs.world import World, a_world
from tests.waiting import eventually

NOT_AVAILABLE = "Redis not available - scheduled tasks will be disabled"
NO_DATABASE = "I can't reach the database right now. Try again in a minute."


@pytest.fixture
def no_redis(settings: Settings) -> Settings:
    """Nobody listens on port 1."""
    return settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1")})


@pytest.fixture
def sockets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory whose name is short enough for a socket's."""
    return tmp_path_factory.mktemp("s")


@pytest.fixture(autouse=True)
def no_reconnecting_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """asyncpg would, after 1, 2, 4 ... s, and simcord waits for all that a bot has under way."""

    def do_not(_pool: object) -> None:
        return

    monkeypatch.setattr(asyncpg.Pool, "_schedule_min_size_maintenance", do_not)


@asynccontextmanager
async def world_with_redis_behind_a_proxy(
    settings: Settings, sockets: Path
) -> AsyncGenerator[tuple[World, SocketProxy]]:
    assert settings.redis_address is not None
    proxy, url = redis_proxy(sockets, settings.redis_address)
    async with proxy, a_world(settings.model_copy(update={"redis_url": SecretStr(url)})) as world:
        yield world, proxy


@asynccontextmanager
async def world_with_database_behind_a_proxy(
    settings: Settings, sockets: Path
) -> AsyncGenerator[tuple[World, SocketProxy]]:
    """The tests' own connection does not go through it."""
    assert settings.database_address is not None
    proxy, url = postgres_proxy(sockets, settings.database_address)
    through = settings.model_copy(update={"database_url": SecretStr(url)})
    async with proxy, a_world(through, sql_url=settings.database_address) as world:
        yield world, proxy


async def test_without_redis_the_bot_starts_serves_and_warns_once(
    no_redis: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with a_world(no_redis) as world:
        channel = await world.open_ticket(world.amy)
        for _ in range(3):
            await world.ask_to_close(channel, delay="2h")
            await asyncio.sleep(0.3)  # longer than Redis is left alone between two looks
        warnings = [record for record in caplog.records if record.message.startswith(NOT_AVAILABLE)]
        assert len(warnings) == 1
        assert warnings[0].levelno == logging.WARNING
        assert [record for record in caplog.records if record.levelno > logging.WARNING] == []


async def test_without_redis_the_reply_says_so_and_the_deadline_is_kept(
    no_redis: Settings,
) -> None:
    async with a_world(no_redis) as world:
        channel = await world.open_ticket(world.amy)
        text = reply(await world.sam.slash(channel, "closerequest", close_delay="2h"))
        assert "Redis isn't available" in text
        assert "still holds" in text
        assert (await world.request(channel)).auto_close_at is not None
        status = reply(await world.sam.slash(channel, "autoclose status"))
        assert "It closes" in status
        assert "Redis isn't available" in status
        assert "Redis isn't available" in reply(await world.boss.slash(world.lobby, "doctor"))
        assert await world.scheduler.schedule_auto_close(1, 2) is None
        await world.ask_to_close(channel)
        text = reply(await world.sam.slash(channel, "closerequest"))
        assert "Redis" not in text


async def test_without_redis_a_ticket_closes_all_the_same(no_redis: Settings) -> None:
    async with a_world(no_redis) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, "Any news?", "2h")
        await world.move_deadline(channel)
        await world.until_closed(channel)
        assert await world.request_statuses(channel) == ["expired"]
        assert not world.exists(channel)
        assert len(world.says(world.logs)) == 1


async def test_without_redis_answers_count_all_the_same(no_redis: Settings) -> None:
    async with a_world(no_redis) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        await world.amy.send(channel, "Not yet!")
        message = await world.ask_to_close(channel, delay="2h")
        await world.amy.click(message, label="Deny & Keep Open")
        await world.ask_to_close(channel, delay="2h")
        await world.sam.slash(channel, "autoclose exclude")
        assert await world.request_statuses(channel) == ["answered", "denied", "pending"]
        await world.move_deadline(channel)
        await world.sam.slash(channel, "autoclose include")
        assert world.exists(channel)


async def test_closing_at_once_without_redis_is_a_choice_and_is_said_before_it_is_done(
    no_redis: Settings,
) -> None:
    settings = no_redis.model_copy(update={"auto_close_without_redis": "immediate"})
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.sam.slash(channel, "closerequest", reason="Any news?", close_delay="2h")
        await world.until_closed(channel)
        assert not world.exists(channel)
        ticket = await world.ticket(channel)
        assert ticket.closed_by_id == world.sam.id
        steps = [f"{method} {body.get('content', '')}" for method, _, body in world.sent()]
        told = next((n for n, step in enumerate(steps) if "closed at once" in step), None)
        assert told is not None, "the reply to the staff member does not say what happens"
        assert told < steps.index("DELETE "), "nobody can read a reply in a deleted channel"


async def test_closing_at_once_leaves_requests_without_a_delay_alone(no_redis: Settings) -> None:
    settings = no_redis.model_copy(update={"auto_close_without_redis": "immediate"})
    async with a_world(settings) as world:
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel)
        await world.sam.slash(channel, "autoclose exclude")
        await world.ask_to_close(channel, delay="2h")
        assert await world.request_statuses(channel) == ["superseded", "pending"]
        assert world.exists(channel)


async def test_when_redis_returns_timers_are_set_without_a_restart(
    settings: Settings, sockets: Path
) -> None:
    async with world_with_redis_behind_a_proxy(settings, sockets) as (world, proxy):
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="3h")
        await proxy.cut()
        text = reply(await world.sam.slash(channel, "closerequest", close_delay="2h"))
        assert "Redis isn't available" in text
        await proxy.restore()

        async def the_new_timer_alone() -> bool:
            request = await world.request(channel)
            assert request.auto_close_at is not None
            due_ms = round(request.auto_close_at.timestamp() * 1000)
            return await world.jobs() == [f"auto-close-{request.ticket_id}-{due_ms}"]

        await eventually(the_new_timer_alone)
        await eventually(lambda: world.scheduler.available)
        text = reply(await world.sam.slash(channel, "closerequest", close_delay="2h"))
        assert "Redis" not in text


async def test_a_deadline_that_comes_while_redis_is_away_is_honoured(
    settings: Settings, sockets: Path
) -> None:
    async with world_with_redis_behind_a_proxy(settings, sockets) as (world, proxy):
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        await proxy.cut()
        await world.move_deadline(channel)
        await world.until_closed(channel)
        assert len(world.says(world.logs)) == 1


async def test_without_the_database_every_command_and_button_answers_with_a_sentence(
    settings: Settings, sockets: Path
) -> None:
    async with world_with_database_behind_a_proxy(settings, sockets) as (world, proxy):
        world.provoked.extend(DatabaseUnavailable)
        channel = await world.open_ticket(world.amy)
        message = await world.ask_to_close(channel, delay="2h")
        await proxy.cut()
        for name in ("closerequest", "close", "autoclose status", "autoclose exclude", "timers"):
            assert refusal(await world.sam.slash(channel, name)) == NO_DATABASE, name
        assert refusal(await world.boss.slash(world.lobby, "setup")) == NO_DATABASE
        doctor = reply(await world.boss.slash(world.lobby, "doctor"))
        assert "The database can't be reached" in doctor
        for label in ("Accept & Close", "Deny & Keep Open", "Need more time"):
            assert refusal(await world.amy.click(message, label=label)) == NO_DATABASE, label
        assert refusal(await world.ask_for_ticket(world.amy)) == NO_DATABASE
        await proxy.restore()
        assert await world.request_statuses(channel) == ["pending"]
        await world.amy.click(message, label="Accept & Close")
        await world.until_closed(channel)


async def test_a_reply_that_could_not_be_noted_is_read_at_the_deadline(
    settings: Settings, sockets: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world_with_database_behind_a_proxy(settings, sockets) as (world, proxy):
        channel = await world.open_ticket(world.amy)
        await world.ask_to_close(channel, delay="2h")
        await proxy.cut()
        for _ in range(3):
            await world.amy.send(channel, "Not yet!")
        complaints = [r for r in caplog.records if "cannot be noted" in r.message]
        assert len(complaints) == 1
        await proxy.restore()
        await world.pass_deadline(channel)

        async def answered() -> bool:
            return await world.request_statuses(channel) == ["answered"]

        await eventually(answered)
        assert world.exists(channel)


async def test_connections_that_postgresql_ended_cost_one_more_try_at_most(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        world.provoked.append(Exception)
        channel = await world.open_ticket(world.amy)

        async def asked() -> bool:
            text = reply(await world.sam.slash(channel, "closerequest"))
            assert text.startswith("Asked") or text == NO_DATABASE
            return text.startswith("Asked")

        for _ in range(3):
            await _end_connections(world)
            await eventually(asked)


async def test_a_shutdown_of_postgresql_in_the_middle_of_a_command_is_no_riddle(
    settings: Settings,
) -> None:
    async with a_world(settings) as world:
        world.provoked.append(asyncpg.PostgresError)
        channel = await world.open_ticket(world.amy)
        async with world.sql.transaction():
            await world.sql.execute("lock table punctual.tickets in access exclusive mode")
            command = asyncio.create_task(world.sam.slash(channel, "autoclose exclude"))
            await eventually(lambda: _is_waiting(world))
            await _end_connections(world)
            assert refusal(await command) == NO_DATABASE


async def _is_waiting(world: World) -> bool:
    return await world.sql.fetchval(
        "select exists (select from pg_stat_activity where wait_event_type = 'Lock'"
        " and datname = current_database())"
    )


async def _end_connections(world: World) -> None:
    """As an administrator, or a server that shuts down, does."""
    await world.sql.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
