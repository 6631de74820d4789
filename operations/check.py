"""`python bot.py check`: a line for each thing that the bot needs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

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
from operations.running_servers import Addresses, addresses_of
from operations.shell import say


async def check() -> int:
    """The exit status: 2 for a wrong setting, else 1 for what cannot be reached, else 0."""
    try:
        settings = load_settings()
    except StartupError as error:
        return _report(Check("configuration", str(error), error.status))
    statuses = [_report(Check("configuration", "ok")), _report(check_token(settings))]
    if (disk := check_disk(settings)) is not None:
        statuses.append(_report(disk))
    try:
        async with _servers(settings) as addresses:
            statuses.append(_report(await check_database(addresses.database)))
            statuses.append(_report(await check_redis(addresses.redis)))
    except (StartupError, EmbeddedServersError) as error:
        statuses.append(_report(Check("servers", str(error), DEPENDENCY_FAILED)))
    return max(statuses)


@asynccontextmanager
async def _servers(settings: Settings) -> AsyncGenerator[Addresses]:
    """Those that run; the embedded ones are started for as long as this takes if they do not."""
    addresses = await addresses_of(settings)
    if addresses is not None:
        yield addresses
        return
    postgres, valkey = settings.database_address is None, settings.redis_address is None
    async with EmbeddedServers(settings.data_dir, postgres=postgres, valkey=valkey) as servers:
        yield Addresses(
            settings.database_address or servers.database_url,
            settings.redis_address or servers.redis_url,
        )


def _report(check: Check) -> int:
    say(f"{'FAILED' if check.status else 'ok':6} {check.name:13} {check.text}")
    return check.status
