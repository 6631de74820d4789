"""`python bot.py check`: a line for each thing that the bot needs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from domains.data_dir import require_data_dir
from domains.errors import StartupError
from domains.monitoring.checks import (
    DEPENDENCY_FAILED,
    Check,
    check_database,
    check_disk,
    check_redis,
    check_token,
)
from domains.settings import Settings, load_settings
from embedded import EmbeddedServers, EmbeddedServersError
from operations.running_servers import addresses_of
from operations.shell import say


async def check() -> int:
    """The exit status: 2 for a wrong setting, else 1 for what cannot be reached, else 0."""
    try:
        settings = load_settings()
        require_data_dir(settings.data_dir, make=False)
    except StartupError as error:
        return _report(Check("configuration", str(error), error.status))
    statuses = [_report(Check("configuration", "ok")), _report(check_token(settings))]
    if (disk := check_disk(settings)) is not None:
        statuses.append(_report(disk))
    try:
        async with _servers(settings) as (database, redis):
            statuses.append(_report(await check_database(database) if database else _POSTGRESQL))
            statuses.append(_report(await check_redis(redis) if redis else _VALKEY))
    except (StartupError, EmbeddedServersError) as error:
        statuses.append(_report(Check("servers", str(error), DEPENDENCY_FAILED)))
    return max(statuses)


_POSTGRESQL = Check("database", "a PostgreSQL of the bot's own, which its first start makes")
_VALKEY = Check("redis", "a Valkey of the bot's own, which its first start makes")


@asynccontextmanager
async def _servers(settings: Settings) -> AsyncGenerator[tuple[str | None, str | None]]:
    """The addresses of those that run; the embedded ones are started for as long as this takes if
    they do not. None for what only the bot's first start will make."""
    addresses = await addresses_of(settings)
    if addresses is not None:
        yield addresses.database, addresses.redis
        return
    database, redis = settings.database_address, settings.redis_address
    servers = EmbeddedServers(settings.data_dir, postgres=database is None, valkey=redis is None)
    if servers.are_made:
        async with servers:
            yield database or servers.database_url, redis or servers.redis_url
    else:
        servers.require_binaries()
        yield database, redis


def _report(check: Check) -> int:
    say(f"{'FAILED' if check.status else 'ok':6} {check.name:13} {check.text}")
    return check.status
