"""Valkey's data may be thrown away: all timers are in PostgreSQL. So no damage stops the start."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from embedded import EmbeddedServers, EmbeddedServersError
from embedded.valkey import Valkey
from tests.conftest import redis_client


def _garbage(valkey: Path) -> None:
    for file in (valkey / "appendonlydir").iterdir():
        file.write_bytes(b"\x00garbage\xff" * 100)


def _a_file_in_the_way(valkey: Path) -> None:
    shutil.rmtree(valkey / "appendonlydir")
    (valkey / "appendonlydir").write_text("in the way of a directory")


def _a_file_instead(valkey: Path) -> None:
    shutil.rmtree(valkey)
    valkey.write_text("no directory")


def _parts_missing(valkey: Path) -> None:
    next((valkey / "appendonlydir").glob("*.base.*")).unlink()


def _false(_: Valkey) -> Path:
    return Path("/bin/false")


@pytest.mark.parametrize("damage", [_garbage, _a_file_in_the_way, _a_file_instead, _parts_missing])
async def test_a_damaged_valkey_is_set_aside_and_starts_anew(
    data_dir: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], None]
) -> None:
    async with EmbeddedServers(data_dir, postgres=False) as servers, redis_client(servers) as redis:
        await redis.set("old", 1)
    damage(data_dir / "valkey")
    for _ in range(2):  # the second time there is nothing to say
        with caplog.at_level(logging.WARNING):
            async with (
                EmbeddedServers(data_dir, postgres=False) as servers,
                redis_client(servers) as redis,
            ):
                assert await redis.get("old") is None
                await redis.set("new", 1)
    said = (
        f"Valkey starts anew, since it could not read its data (now in {data_dir}/valkey.damaged)"
    )
    assert [record.message for record in caplog.records] == [said]
    assert (data_dir / "valkey.damaged").exists()


async def test_what_is_not_damaged_stays_where_another_reason_keeps_it_from_starting(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with EmbeddedServers(data_dir, postgres=False) as servers, redis_client(servers) as redis:
        await redis.set("old", 1)
    with monkeypatch.context() as broken:
        broken.setattr(Valkey, "binary", _false)
        with pytest.raises(EmbeddedServersError, match=r"Valkey did not start: see .*valkey\.log"):
            await EmbeddedServers(data_dir, postgres=False).start()
    async with EmbeddedServers(data_dir, postgres=False) as servers, redis_client(servers) as redis:
        assert await redis.get("old") == b"1"
