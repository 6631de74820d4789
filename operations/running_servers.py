"""The servers that a command speaks to: the operator's own, or those of the bot that runs.

A bot's embedded servers tell where their sockets are in their lock files, and their passwords are
kept beside them; only the user who runs the bot can read either. That they answer is the proof
that the bot runs: a file may have outlived it.
"""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from domains.errors import StartupError
from domains.settings import Settings


@dataclass(frozen=True, slots=True)
class Addresses:
    database: str
    redis: str


async def addresses_of(settings: Settings) -> Addresses | None:
    """None if they are embedded ones and the bot is not running. Raises StartupError if they are
    another user's."""
    database, redis = settings.database_address, settings.redis_address
    try:
        database = database or await _postgres(settings.data_dir)
        redis = redis or await _valkey(settings.data_dir)
    except PermissionError as error:
        raise _other_users(error) from None
    return Addresses(database, redis) if database and redis else None


async def database_of(settings: Settings) -> str | None:
    """Like `addresses_of`, for who asks PostgreSQL alone."""
    try:
        return settings.database_address or await _postgres(settings.data_dir)
    except PermissionError as error:
        raise _other_users(error) from None


def _other_users(error: PermissionError) -> StartupError:
    return StartupError(
        f"{error.filename} belongs to another user: run this as the user who runs the bot"
    )


async def _postgres(data_dir: Path) -> str | None:
    noted = _noted(data_dir, "postgres")
    if noted is None or not await _answers(noted.sockets / ".s.PGSQL.5432"):
        return None
    return f"postgresql://bot:{noted.password}@/punctual?host={noted.sockets}"


async def _valkey(data_dir: Path) -> str | None:
    noted = _noted(data_dir, "valkey")
    if noted is None or not await _answers(noted.sockets / "valkey.sock"):
        return None
    return f"unix://:{noted.password}@{noted.sockets}/valkey.sock"


@dataclass(frozen=True, slots=True)
class _Noted:
    sockets: Path
    password: str


def _noted(data_dir: Path, server: str) -> _Noted | None:
    try:
        lines = (data_dir / f"{server}.lock").read_text(encoding="utf-8").splitlines()
        password = (data_dir / f"{server}.password").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    return _Noted(Path(lines[1]), password) if len(lines) > 1 and lines[1] else None


async def _answers(socket: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(socket)
    except (FileNotFoundError, ConnectionError):
        return False
    with closing(writer):
        return True
