"""`python bot.py postgres`: psql and pg_dump, on the bot's database, wherever that is.

They come with the embedded PostgreSQL, so that they are there, and not older than the server.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, unquote, urlsplit

from domains.errors import StartupError
from domains.settings import Settings
from embedded import EmbeddedServers, EmbeddedServersError
from embedded.binaries import postgres_binary
from operations.running_servers import addresses_of

PROGRAMS = ("psql", "pg_dump")
VARIABLES = {
    "application_name": "PGAPPNAME",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "database": "PGDATABASE",
    "dbname": "PGDATABASE",
}
"""Those that are not called like the parameter of a URL."""


async def postgres(settings: Settings, program: str, arguments: Sequence[str]) -> int:
    """The program's own exit status."""
    try:
        async with _database(settings) as url:
            environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
            process = await asyncio.create_subprocess_exec(
                postgres_binary(program), *arguments, env=environment | variables(url)
            )
            return await process.wait()
    except EmbeddedServersError as error:
        raise StartupError(str(error)) from error


@asynccontextmanager
async def _database(settings: Settings) -> AsyncGenerator[str]:
    """Its URL. The embedded server is started for as long as this takes if it does not run."""
    if settings.database_address is not None:
        yield settings.database_address
        return
    addresses = await addresses_of(settings)
    if addresses is not None:
        yield addresses.database
        return
    async with EmbeddedServers(settings.data_dir, valkey=False) as servers:
        yield servers.database_url


def variables(url: str) -> dict[str, str]:
    """What libpq reads from the environment: a command line shows its password to everybody."""
    parts = urlsplit(url)
    said = {
        "host": parts.hostname,
        "port": str(parts.port or ""),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": unquote(parts.path.removeprefix("/")),
        **dict(parse_qsl(parts.query)),
    }
    return {
        VARIABLES.get(name, f"PG{name.replace('_', '').upper()}"): value
        for name, value in said.items()
        if value
    }
