"""The servers, used as the bot uses them."""

import asyncio
from pathlib import Path
from typing import cast

import asyncpg
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from embedded import EmbeddedServers, EmbeddedServersError
from tests.embedded.bot_process import Report
from tests.embedded.observing import environment_of, permissions_of


async def query(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def command(url: str, *words: str) -> object:
    # redis-py leaves some of its parameters untyped, hence the two ignores.
    client = Redis.from_url(url, decode_responses=True)  # pyright: ignore[reportUnknownMemberType]
    async with client:
        return cast(object, await client.execute_command(*words))  # pyright: ignore[reportUnknownMemberType]


async def test_both_urls_work_on_a_machine_that_never_had_them(tmp_path: Path) -> None:
    async with EmbeddedServers(tmp_path / "new" / "data", durable=False) as servers:
        assert await query(servers.database_url, "SELECT current_database()") == "punctual"
        assert await command(servers.redis_url, "PING") is True


async def test_urls_name_unix_sockets_in_tmp(data_dir: Path) -> None:
    async with EmbeddedServers(data_dir, durable=False) as servers:
        assert servers.database_url.startswith("postgresql://bot:")
        assert "@/punctual?host=/tmp/" in servers.database_url
        assert servers.redis_url.startswith("unix://:")
        assert "@/tmp/" in servers.redis_url


async def test_no_server_listens_on_the_network(data_dir: Path) -> None:
    async with EmbeddedServers(data_dir, durable=False) as servers:
        assert await query(servers.database_url, "SHOW listen_addresses") == ""
        assert await command(servers.redis_url, "CONFIG GET", "port") == {"port": "0"}


async def test_data_survives_a_restart_of_the_bot(data_dir: Path) -> None:
    async with EmbeddedServers(data_dir) as servers:
        await query(servers.database_url, "CREATE TABLE kept AS SELECT 42 AS answer")
        await command(servers.redis_url, "SET", "kept", "43")
    async with EmbeddedServers(data_dir) as servers:
        assert await query(servers.database_url, "SELECT answer FROM kept") == 42
        assert await command(servers.redis_url, "GET", "kept") == "43"


async def test_what_was_stopped_on_purpose_stays_so_until_it_is_asked_for(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embedded.servers._LOOK_EVERY_SECONDS", 0.01)
    async with EmbeddedServers(data_dir, valkey=False, durable=False) as servers:
        watchdog = asyncio.create_task(servers.keep_running())
        await servers.stop_postgres()
        await asyncio.sleep(0.1)  # many looks of the watchdog
        with pytest.raises(OSError):
            await query(servers.database_url, "SELECT 1")
        await servers.restart_postgres()
        assert await query(servers.database_url, "SELECT 1") == 1
        watchdog.cancel()


async def test_valkey_can_be_emptied(data_dir: Path) -> None:
    async with EmbeddedServers(data_dir, postgres=False, durable=False) as servers:
        await command(servers.redis_url, "SET", "kept", "1")
        await servers.flush_valkey()
        assert await command(servers.redis_url, "DBSIZE") == 0


async def test_what_is_kept_is_written_to_disk_unless_a_test_asks_for_speed(data_dir: Path) -> None:
    for durable, on, yes in ((True, "on", "yes"), (False, "off", "no")):
        async with EmbeddedServers(data_dir, durable=durable) as servers:
            assert await query(servers.database_url, "SHOW fsync") == on
            appendonly = await command(servers.redis_url, "CONFIG GET", "appendonly")
            assert appendonly == {"appendonly": yes}


async def test_a_hundred_connections_are_allowed(data_dir: Path) -> None:
    async with EmbeddedServers(data_dir, durable=False, valkey=False) as servers:
        assert await query(servers.database_url, "SHOW max_connections") == "100"


async def test_postgres_wants_the_password(data_dir: Path) -> None:
    async with EmbeddedServers(data_dir, durable=False, valkey=False) as servers:
        password = (data_dir / "postgres.password").read_text()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await query(servers.database_url.replace(password, "wrong"), "SELECT 1")


async def test_valkey_wants_the_password(data_dir: Path) -> None:
    async with EmbeddedServers(data_dir, durable=False, postgres=False) as servers:
        password = (data_dir / "valkey.password").read_text()
        for instead, refusal in (("wrong", "invalid username-password"), ("", "required")):
            with pytest.raises(RedisError, match=refusal):
                await command(servers.redis_url.replace(password, instead), "PING")


async def test_passwords_and_logs_are_for_their_owner_alone(data_dir: Path) -> None:
    async with EmbeddedServers(data_dir, durable=False):
        for name in ("postgres.password", "valkey.password", "valkey/valkey.conf"):
            assert permissions_of(data_dir / name) == 0o600
        for name in ("postgres.log", "valkey.log"):
            assert permissions_of(data_dir / name) == 0o600
        for name in ("postgres", "valkey"):
            assert permissions_of(data_dir / name) == 0o700


async def test_sockets_are_for_their_owner_alone(data_dir: Path) -> None:
    async with EmbeddedServers(data_dir, durable=False) as servers:
        for socket_dir in Report.of(servers).socket_dirs:
            assert permissions_of(socket_dir) == 0o700


async def test_no_server_is_told_the_secrets_of_the_bot(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "a-secret")
    async with EmbeddedServers(data_dir, durable=False) as servers:
        for pid in Report.of(servers).pids:
            assert "a-secret" not in environment_of(pid)


async def test_each_server_can_be_had_alone(data_dir: Path) -> None:
    async with EmbeddedServers(data_dir, postgres=False, durable=False) as servers:
        assert await command(servers.redis_url, "PING") is True
        with pytest.raises(EmbeddedServersError, match="not asked for"):
            _ = servers.database_url
    async with EmbeddedServers(data_dir, valkey=False, durable=False) as servers:
        assert await query(servers.database_url, "SELECT 1") == 1
        with pytest.raises(EmbeddedServersError, match="not asked for"):
            _ = servers.redis_url


async def test_a_restarted_server_keeps_its_url_and_data(data_dir: Path) -> None:
    async with EmbeddedServers(data_dir) as servers:
        urls = servers.database_url, servers.redis_url
        pids = servers.postgres_pid, servers.valkey_pid
        await query(servers.database_url, "CREATE TABLE kept AS SELECT 42 AS answer")
        await command(servers.redis_url, "SET", "kept", "43")

        await servers.restart_postgres()
        await servers.restart_valkey()

        assert urls == (servers.database_url, servers.redis_url)
        assert not set(pids) & {servers.postgres_pid, servers.valkey_pid}
        assert await query(servers.database_url, "SELECT answer FROM kept") == 42
        assert await command(servers.redis_url, "GET", "kept") == "43"


async def test_stop_may_be_called_twice_and_without_a_start(data_dir: Path) -> None:
    servers = EmbeddedServers(data_dir, durable=False)
    await servers.stop()
    await servers.start()
    await servers.stop()
    await servers.stop()


async def test_servers_can_be_started_again_after_a_stop(data_dir: Path) -> None:
    servers = EmbeddedServers(data_dir, durable=False)
    async with servers:
        pass
    async with servers:
        assert await query(servers.database_url, "SELECT 1") == 1
