"""What can't work is said in one line that helps."""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

import asyncpg
import pytest

from embedded import EmbeddedServers, EmbeddedServersError, binaries
from tests.waiting import eventually


async def sentence(servers: EmbeddedServers) -> str:
    with pytest.raises(EmbeddedServersError) as caught:
        await servers.start()
    await servers.stop()
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


async def test_a_second_bot_on_the_same_data_is_told_so(data_dir: Path) -> None:
    async with EmbeddedServers(data_dir, postgres=False, durable=False):
        assert await sentence(EmbeddedServers(data_dir, postgres=False)) == (
            f"Another bot is already running on {data_dir}: "
            "stop it, or set DATA_DIR to another directory."
        )


async def test_a_server_that_does_not_start_names_its_log(data_dir: Path) -> None:
    (data_dir / "postgres" / "postgresql.conf").write_text("nonsense = 1\n")
    text = await sentence(EmbeddedServers(data_dir, durable=False))
    assert text == f"PostgreSQL did not start: see {data_dir}/postgres.log."
    assert "nonsense" in (data_dir / "postgres.log").read_text()


async def test_data_of_another_major_version_is_said_before_the_server_is_started(
    data_dir: Path,
) -> None:
    version = data_dir / "postgres" / "PG_VERSION"
    version.write_text("15\n")
    (data_dir / "postgres.log").unlink()
    text = await sentence(EmbeddedServers(data_dir, valkey=False, durable=False))
    assert text.startswith(
        f"The data in {data_dir}/postgres is of PostgreSQL 15, and PostgreSQL 18"
    )
    assert "docs/operations.md" in text
    assert not (data_dir / "postgres.log").exists()


async def test_a_failed_start_leaves_nothing_running(data_dir: Path) -> None:
    broken = data_dir / "postgres" / "postgresql.conf"
    right = broken.read_text()
    broken.write_text("nonsense = 1\n")
    await sentence(EmbeddedServers(data_dir))
    broken.write_text(right)
    async with EmbeddedServers(data_dir):
        pass


async def test_a_lost_password_is_said(data_dir: Path) -> None:
    (data_dir / "postgres.password").unlink()
    text = await sentence(EmbeddedServers(data_dir, valkey=False, durable=False))
    assert text.startswith("PostgreSQL does not accept the bot")


async def test_a_data_dir_that_is_no_directory_is_said(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.touch()
    assert str(data_dir) in await sentence(EmbeddedServers(data_dir))


@pytest.mark.parametrize(
    ("wanted", "setting"),
    [({"valkey": False}, "DATABASE_URL"), ({"postgres": False}, "REDIS_URL")],
)
async def test_without_a_wheel_the_setting_to_use_instead_is_named(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, bool], setting: str
) -> None:
    def no_such_package(name: str) -> None: ...

    monkeypatch.setattr(binaries, "find_spec", no_such_package)
    text = await sentence(EmbeddedServers(data_dir, durable=False, **wanted))
    assert f"set {setting} " in text


async def test_on_windows_both_settings_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    text = await sentence(EmbeddedServers(tmp_path / "data"))
    assert "set DATABASE_URL and REDIS_URL" in text
    assert not (tmp_path / "data").exists()


async def test_a_server_that_crashed_and_does_not_start_is_said_once_and_tried_on(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As on a full disk."""
    caplog.set_level(logging.INFO, "embedded")
    monkeypatch.setattr("embedded.servers._LOOK_EVERY_SECONDS", 0.05)
    settings = data_dir / "postgres" / "postgresql.conf"
    log = data_dir / "postgres.log"
    async with EmbeddedServers(data_dir, valkey=False, durable=False) as servers:
        watchdog = asyncio.create_task(servers.keep_running())
        whole = settings.read_text()
        settings.write_text(whole + "nonsense = 1\n")
        os.kill(servers.postgres_pid, signal.SIGKILL)
        await eventually(lambda: log.read_text().count("nonsense") >= 3)
        settings.write_text(whole)
        await eventually(lambda: "PostgreSQL has started again" in caplog.text)
        watchdog.cancel()
        connection = await asyncpg.connect(servers.database_url)
        await connection.close()
    assert caplog.text.count("has ended by itself") == 1
    assert caplog.text.count("did not start") == 1
