"""Is everything there that the bot needs? Looked at without changing anything."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg

from domains.database import CONNECT_TIMEOUT_S, DatabaseUnavailable, require_utf8
from domains.discord_token import looks_like_a_token
from domains.disk_space import MIB, DiskSpace, NoRoomError
from domains.errors import WRONG_SETTING, StartupError
from domains.formatting import duration
from domains.migrating import files
from domains.monitoring import sql
from domains.redaction import one_line
from domains.scheduled_task.redis_check import RedisUnusableError, look_at_redis
from domains.settings import Settings

if TYPE_CHECKING:
    from domains.database import Connection

DEPENDENCY_FAILED = 1
LONGEST_SILENCE = timedelta(seconds=30)
"""A bot tells every few seconds that it is there, unless Discord has just dropped it."""


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
    token = settings.discord_token.get_secret_value()
    application_id = _decoded(token.partition(".")[0])
    if not looks_like_a_token(token) or not application_id.isdigit():
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

    def __init__(self, text: str, status: int = DEPENDENCY_FAILED) -> None:
        super().__init__(text)
        self.status = status


async def check_database(url: str) -> Check:
    try:
        version, missing = await look_at_database(url)
    except DatabaseUnusableError as error:
        return Check("database", str(error), error.status)
    waiting = f"; the next start applies {missing} migrations" if missing else ""
    return Check("database", f"PostgreSQL {version}{waiting}")


async def look_at_database(url: str) -> tuple[str, int]:
    """Its version, and how many migrations are missing. Raises DatabaseUnusableError."""
    async with _connected(url) as connection:
        await require_utf8(connection)
        applied = await sql.applied_migrations(connection) or set()
        missing = files().keys() - applied
        return await sql.server_version(connection), len(missing)


async def check_bot(url: str) -> Check:
    """Whether a bot was here, with Discord connected, a moment ago."""
    try:
        async with _connected(url) as connection:
            silence = await sql.silence(connection)
    except DatabaseUnusableError as error:
        return Check("bot", str(error), DEPENDENCY_FAILED)
    if silence is None:
        return Check("bot", "no bot has ever run on this database", DEPENDENCY_FAILED)
    if silence > LONGEST_SILENCE:
        ago = duration(silence)
        return Check("bot", f"not running and connected to Discord since {ago}", DEPENDENCY_FAILED)
    return Check("bot", "running, and connected to Discord")


@asynccontextmanager
async def _connected(url: str) -> AsyncGenerator[Connection]:
    """Changes nothing. Raises DatabaseUnusableError for all that goes wrong meanwhile."""
    try:
        pool = asyncpg.create_pool(url, min_size=1, max_size=1, timeout=CONNECT_TIMEOUT_S)
        async with pool, pool.acquire() as connection:
            yield connection
    except StartupError as error:
        raise DatabaseUnusableError(str(error), error.status) from None
    except (ValueError, OverflowError):
        # Its text quotes what was not understood, and that may be the password.
        raise DatabaseUnusableError("DATABASE_URL cannot be understood", WRONG_SETTING) from None
    except (*DatabaseUnavailable, OSError, asyncpg.PostgresError) as error:
        raise DatabaseUnusableError(f"PostgreSQL cannot be used: {one_line(error, url)}") from None


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
