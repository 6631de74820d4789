"""All that is kept anywhere, as text to be searched: dump, Redis, files."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import Any, cast

from redis.asyncio import Redis

from domains.settings import Settings
from embedded.binaries import postgres_binary

SERVERS = ("postgres", "valkey")
"""The embedded servers' own folders: they hold older states for a while, and docs/privacy.md says
so."""


async def everything(settings: Settings) -> dict[str, str]:
    """By place."""
    found = {"pg_dump": await asyncio.to_thread(_dump, settings)}
    found |= await _redis(settings)
    return found | await asyncio.to_thread(_files, settings.data_dir)


async def places_of(settings: Settings, *words: str) -> list[str]:
    """Where one of these is found, whatever the case."""
    kept = await everything(settings)
    return sorted(
        f"{word} in {place}"
        for place, text in kept.items()
        for word in words
        if word.lower() in text.lower()
    )


def _dump(settings: Settings) -> str:
    assert settings.database_address is not None
    ran = subprocess.run(
        [postgres_binary("pg_dump"), "--no-owner", settings.database_address],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "COPY punctual.tickets" in ran.stdout
    return ran.stdout


async def _redis(settings: Settings) -> dict[str, str]:
    redis: Any = cast("Any", Redis).from_url(settings.redis_address)
    try:
        return {
            f"redis {key!r}": f"{key!r} {await _value(redis, key)!r}"
            async for key in redis.scan_iter("*")
        }
    finally:
        await redis.aclose()


async def _value(redis: Any, key: bytes) -> object:
    match await redis.type(key):
        case b"string":
            return await redis.get(key)
        case b"list":
            return await redis.lrange(key, 0, -1)
        case b"zset":
            return await redis.zrange(key, 0, -1, withscores=True)
        case b"hash":
            return await redis.hgetall(key)
        case b"none":  # it has expired
            return None
        case other:
            raise AssertionError(f"{key!r} is a {other!r}: nobody looks into those")


def _files(data_dir: Path) -> dict[str, str]:
    return {
        f"file {path}": f"{path} " + path.read_bytes().decode(errors="replace")
        for path in data_dir.rglob("*")
        if path.is_file() and path.relative_to(data_dir).parts[0] not in SERVERS
    }
