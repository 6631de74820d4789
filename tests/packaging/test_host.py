"""The installed package in a bot that has its own bot.py, cogs/, domains/ and web/."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import asyncpg
import pytest

from tests.conftest import Servers
from tests.packaging.conftest import Host

A_TICKET_FROM_BEGINNING_TO_END = {
    "transcripts": 1,
    "hello": "Hello from the host",
    "dashboard": 200,
    "owners": ["host", "host", "host", "host"],
    "leaked": [],
}


def test_the_code_in_the_readme_makes_a_host_a_ticket_bot(host: Host) -> None:
    result = host.run("main.py")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == A_TICKET_FROM_BEGINNING_TO_END


async def test_a_table_of_the_hosts_stays_as_it_is(host: Host, servers: Servers) -> None:
    """Also when it is named as one of Punctual's, in the same database."""
    url = urlsplit(servers.database_url)._replace(path="/of_a_host").geturl()
    administrator = await asyncpg.connect(servers.database_url)
    try:
        await administrator.execute("create database of_a_host")
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(
                "create table tickets (seat text primary key);"
                "insert into tickets values ('row 7, seat 12')"
            )
            addresses = {"DATABASE_URL": url, "REDIS_URL": servers.redis_url}
            result = host.run("main.py", settings=host.settings | addresses)
            assert result.returncode == 0, result.stderr
            assert json.loads(result.stdout) == A_TICKET_FROM_BEGINNING_TO_END
            rows = await connection.fetch("select * from tickets")
            assert [dict(row) for row in rows] == [{"seat": "row 7, seat 12"}]
            tables = await connection.fetch(
                "select tablename from pg_tables where schemaname = 'public'"
            )
            assert [row["tablename"] for row in tables] == ["tickets"]
        finally:
            await connection.close()
    finally:
        await administrator.execute("drop database if exists of_a_host with (force)")
        await administrator.close()


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("MIN_CLOSE_DELAY", "soon", "MIN_CLOSE_DELAY: "),
        ("REDIS_URL", "redis://redis:port", "REDIS_URL: "),
        ("DATABASE_URL", "postgresql://127.0.0.1:1/tickets", "DATABASE_URL: "),
        ("DATA_DIR", "/dev/null/data", "DATA_DIR: "),
        ("DASHBOARD_HOST", "203.0.113.1", "DASHBOARD_HOST: "),
    ],
)
def test_what_an_operator_can_put_right_is_a_startup_error(
    host: Host, setting: str, value: str, says: str
) -> None:
    result = host.run("main.py", settings=host.settings | {setting: value})
    assert result.returncode == 1
    assert f"punctual.domains.errors.StartupError: {says}" in result.stderr.splitlines()[-1]
    assert "During handling" not in result.stderr
