"""Databases that several tests share: making a fresh one for each takes half a second."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg


def named(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def execute(url: str, *statements: str) -> None:
    """On a connection of its own, so that no pool is disturbed."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def scratch_database(server_url: str, name: str, template: str = "template1") -> Generator[str]:
    """Make a database and drop it afterwards, even if something still clings to it."""
    asyncio.run(execute(server_url, f"create database {name} template {template}"))
    try:
        yield named(server_url, name)
    finally:
        asyncio.run(execute(server_url, f"drop database {name} with (force)"))
