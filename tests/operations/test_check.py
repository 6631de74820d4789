"""`python bot.py check`: a line for each thing, and one exit status for all."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from embedded import EmbeddedServers

from .conftest import TOKEN, Typed

PASSWORD = "correct-horse-battery"


async def test_all_is_well(typed: Typed) -> None:
    ran = await typed("check")
    assert (ran.status, ran.err) == (0, "")
    assert [line.split()[:2] for line in ran.lines] == [
        ["ok", "configuration"],
        ["ok", "token"],
        ["ok", "database"],
        ["ok", "redis"],
    ]
    assert "of the application 123456789012345678" in ran.out
    assert "PostgreSQL 18" in ran.out
    assert "valkey 9" in ran.out


async def test_a_wrong_setting_is_named_and_ends_with_2(typed: Typed) -> None:
    typed.settings["LOG_LEVEL"] = "LOUD"
    ran = await typed("check")
    assert ran.status == 2
    assert ran.lines[0].startswith("FAILED configuration LOG_LEVEL:")
    assert len(ran.lines) == 1


@pytest.mark.parametrize("token", [None, "nonsense", "a.b.c", "MTIz.x", f"Bot {TOKEN}"])
async def test_a_token_that_is_none_ends_with_2_and_the_rest_is_checked(
    typed: Typed, token: str | None
) -> None:
    typed.settings["DISCORD_TOKEN"] = token
    ran = await typed("check")
    assert ran.status == 2
    assert [line.split()[0] for line in ran.lines] == ["ok", "FAILED", "ok", "ok"]


async def test_what_cannot_be_reached_ends_with_1_without_its_password(typed: Typed) -> None:
    typed.settings["DATABASE_URL"] = f"postgresql://bot:{PASSWORD}@127.0.0.1:1/x"
    typed.settings["REDIS_URL"] = f"redis://:{PASSWORD}@127.0.0.1:1"
    ran = await typed("check")
    assert ran.status == 1
    assert [line.split()[0] for line in ran.lines] == ["ok", "ok", "FAILED", "FAILED"]
    assert "Connect call failed" in ran.lines[2]
    assert PASSWORD not in ran.out + ran.err


async def test_a_wrong_password_ends_with_1_and_is_not_shown(
    typed: Typed, database_url: str, redis_url: str
) -> None:
    for name, url in (("DATABASE_URL", database_url), ("REDIS_URL", redis_url)):
        right = urlsplit(url).password
        assert right is not None
        typed.settings[name] = url.replace(right, PASSWORD)
    ran = await typed("check")
    assert ran.status == 1
    assert "InvalidPasswordError" in ran.lines[2]
    assert "invalid username-password pair" in ran.lines[3]
    assert PASSWORD not in ran.out + ran.err


async def test_no_secret_is_shown(typed: Typed, database_url: str) -> None:
    ran = await typed("check")
    password = urlsplit(database_url).password
    assert password is not None
    assert not [secret for secret in (TOKEN, password) if secret in ran.out + ran.err]


async def test_a_check_changes_nothing(typed: Typed, database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("delete from punctual.schema_migrations")
    ran = await typed("check")
    assert ran.status == 0
    assert "the next start applies" in ran.out
    applied = "select count(*) from punctual.schema_migrations"
    assert await connection.fetchval(applied) == 0
    await connection.close()


async def test_embedded_servers_are_started_for_a_check_and_stopped_after_it(
    typed: Typed, tmp_path: Path
) -> None:
    typed.settings["DATABASE_URL"] = typed.settings["REDIS_URL"] = None
    async with EmbeddedServers(tmp_path / "data", durable=False):
        pass
    ran = await typed("check")
    assert (ran.status, ran.err) == (0, "")
    assert "PostgreSQL 18" in ran.out
    # And so another bot can start there.
    async with EmbeddedServers(tmp_path / "data", durable=False):
        pass


async def test_a_check_makes_no_servers(typed: Typed, tmp_path: Path) -> None:
    typed.settings["DATABASE_URL"] = typed.settings["REDIS_URL"] = None
    ran = await typed("check")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.count("which its first start makes") == 2
    assert not (tmp_path / "data").exists()


async def test_a_data_dir_that_cannot_be_used_is_a_wrong_setting(
    typed: Typed, tmp_path: Path
) -> None:
    (tmp_path / "data").touch()
    ran = await typed("check")
    assert ran.status == 2
    assert ran.lines == [
        f"FAILED configuration DATA_DIR: {tmp_path}/data cannot be used: Not a directory"
    ]


async def test_a_database_of_another_encoding_is_a_wrong_setting(
    typed: Typed, database_url: str
) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "create database latin encoding 'LATIN1' locale 'C' locale_provider libc template template0"
    )
    try:
        typed.settings["DATABASE_URL"] = urlsplit(database_url)._replace(path="/latin").geturl()
        ran = await typed("check")
        assert ran.status == 2
        assert "encoding is LATIN1" in ran.lines[2]
    finally:
        await connection.execute("drop database latin with (force)")
        await connection.close()


async def test_the_servers_of_a_running_bot_are_used_and_left_running(
    typed: Typed, tmp_path: Path
) -> None:
    typed.settings["DATABASE_URL"] = typed.settings["REDIS_URL"] = None
    async with EmbeddedServers(tmp_path / "data", durable=False) as servers:
        ran = await typed("check")
        assert (ran.status, ran.err) == (0, "")
        connection = await asyncpg.connect(servers.database_url)
        await connection.close()


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://bot:p@ss/{PASSWORD}@127.0.0.1:1/x",
        f"postgresql://bot:a#{PASSWORD}@127.0.0.1:1/x",
        f"postgresql://bot@127.0.0.1:1/x?password={PASSWORD}",
        f"postgresql://bot:x@127.0.0.1:{PASSWORD}/x",
    ],
)
async def test_a_password_that_broke_its_address_is_not_shown(typed: Typed, url: str) -> None:
    typed.settings["DATABASE_URL"] = url
    typed.settings["REDIS_URL"] = url.replace("postgresql", "redis")
    for command in (("check",), ("timers",)):
        ran = await typed(*command)
        assert ran.status in (1, 2)
        assert PASSWORD not in ran.out + ran.err
        assert "Traceback" not in ran.err


async def test_a_disk_with_too_little_room_ends_with_1(typed: Typed) -> None:
    typed.settings["MIN_FREE_MB"] = str(10**9)
    ran = await typed("check")
    assert ran.status == 1
    [line] = [line for line in ran.lines if line.startswith("FAILED")]
    assert line.split()[1] == "disk"
    assert "MIN_FREE_MB" in line
