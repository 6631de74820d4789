"""Is everything there that the bot needs? Looked at without changing anything."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

import asyncpg

from domains.database import CONNECT_TIMEOUT_S, DatabaseUnavailable
from domains.disk_space import MIB, DiskSpace, NoRoomError
from domains.migrating import files
from domains.monitoring import sql
from domains.redaction import one_line
from domains.scheduled_task.redis_check import RedisUnusableError, look_at_redis
from domains.settings import WRONG_SETTING, Settings

DEPENDENCY_FAILED = 1


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    text: str
    status: int = 0
    """What the process is to end with if this is the worst."""


def check_token(settings: Settings) -> Check:
    """Only its shape: whether Discord accepts it, Discord says."""
    if settings.discord_token is None:
        return Check("token", "DISCORD_TOKEN is not set", WRONG_SETTING)
    parts = settings.discord_token.get_secret_value().split(".")
    application_id = _decoded(parts[0])
    if len(parts) != 3 or not all(parts) or not application_id.isdigit():
        return Check("token", "DISCORD_TOKEN does not look like a bot's token", WRONG_SETTING)
    return Check("token", f"looks like one, of the application {application_id}")


def _decoded(text: str) -> str:
    try:
        padded = text + "=" * (-len(text) % 4)
        return base64.urlsafe_b64decode(padded).decode("ascii")
    except (binascii.Error, ValueError):
        return ""


def check_disk(settings: Settings) -> Check | None:
    """Nothing to say while there is room."""
    space = DiskSpace(settings.data_dir, min_free_bytes=settings.min_free_mb * MIB)
    try:
        space.require(0)
    except NoRoomError as error:
        return Check("disk", f"{error}, and MIN_FREE_MB is {settings.min_free_mb}", 1)
    return None


class DatabaseUnusableError(Exception):
    """The text is one line, without the address's password."""


async def check_database(url: str) -> Check:
    try:
        version, missing = await look_at_database(url)
    except DatabaseUnusableError as error:
        return Check("database", str(error), DEPENDENCY_FAILED)
    waiting = f"; the next start applies {missing} migrations" if missing else ""
    return Check("database", f"PostgreSQL {version}{waiting}")


async def look_at_database(url: str) -> tuple[str, int]:
    """Its version, and how many migrations are missing. Raises DatabaseUnusable."""
    try:
        pool = asyncpg.create_pool(url, min_size=1, max_size=1, timeout=CONNECT_TIMEOUT_S)
        async with pool, pool.acquire() as connection:
            applied = await sql.applied_migrations(connection) or set()
            missing = files().keys() - applied
            return await sql.server_version(connection), len(missing)
    except (*DatabaseUnavailable, OSError, asyncpg.PostgresError) as error:
        raise DatabaseUnusableError(f"PostgreSQL cannot be used: {one_line(error, url)}") from None
    except (ValueError, OverflowError):
        # Its text quotes what was not understood, and that may be the password.
        raise DatabaseUnusableError("DATABASE_URL cannot be understood") from None


async def check_redis(url: str) -> Check:
    try:
        look = await look_at_redis(url)
    except RedisUnusableError as error:
        if error.__cause__ is None:
            return Check("redis", "REDIS_URL cannot be understood", DEPENDENCY_FAILED)
        text = f"Redis cannot be used: {one_line(error.__cause__, url)}"
        return Check("redis", text, DEPENDENCY_FAILED)
    if look.eviction_policy is not None:
        return Check(
            "redis", f"{look.name}; its policy {look.eviction_policy} may drop timers when full"
        )
    return Check("redis", look.name)
