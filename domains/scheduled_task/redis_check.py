"""Can this Redis keep timers? For an operator who asks before anything runs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, cast

from redis.exceptions import RedisError

from domains.errors import WRONG_SETTING, StartupError
from domains.scheduled_task.redis_client import connect
from domains.server_urls import UNREADABLE_URL
from domains.server_urls import require_redis_url as understand_redis_url

TIMEOUT_S = 2.0
TRIAL_KEY = f"punctual:trial:{secrets.token_hex(4)}"
"""Its own for each process: installations may share a Redis."""

_INFO = "return redis.call('INFO')"


@dataclass(frozen=True, slots=True)
class RedisLook:
    name: str
    """`valkey 9.1.2`."""
    eviction_policy: str | None
    """The policy by which it throws timers away when it is full, or None if it does not."""


class RedisUnusableError(Exception):
    """Its cause says why; without one, the address cannot be understood."""


async def look_at_redis(url: str) -> RedisLook:
    """Writes, too, since a Redis that is full or read-only keeps no timers."""
    try:
        client = connect(url, socket_timeout=TIMEOUT_S)
    except ValueError:
        # Its text quotes what was not understood, and that may be the password.
        raise RedisUnusableError from None
    try:
        await client.set(TRIAL_KEY, 1, ex=1)
        info = _fields(cast("bytes", await client.register_script(_INFO)(keys=[])))
    except (RedisError, OSError) as error:
        raise RedisUnusableError from error
    finally:
        await client.aclose()
    version = info.get("valkey_version") or info.get("redis_version", "")
    policy = info.get("maxmemory_policy", "noeviction")
    limited = info.get("maxmemory", "0") != "0"
    return RedisLook(
        name=f"{info.get('server_name', 'redis')} {version}",
        eviction_policy=policy if limited and policy != "noeviction" else None,
    )


def require_redis_url(url: str) -> None:
    """Nothing is contacted. Raises StartupError, which shows nothing of the address."""
    try:
        understand_redis_url(url)
    except ValueError as error:
        raise StartupError(f"REDIS_URL: {error}", status=WRONG_SETTING) from None
    try:
        client: Any = connect(url, socket_timeout=TIMEOUT_S)
        client.connection_pool.make_connection().encoder.encode("x")
    except Exception:  # redis-py takes whatever option it is given, and breaks over it
        raise StartupError(f"REDIS_URL: {UNREADABLE_URL}", status=WRONG_SETTING) from None


def _fields(info: bytes) -> dict[str, str]:
    lines = info.decode(errors="replace").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)
