"""Fixtures are made elsewhere; here pytest finds them."""

from __future__ import annotations

from tests.found.conftest_a14 import (
    database_url,
    forgetful_discord,
    lab,
    own_servers,
    postgres,
    proxy,
    sql,
    valkey,
)

__all__ = [
    "database_url",
    "forgetful_discord",
    "lab",
    "own_servers",
    "postgres",
    "proxy",
    "sql",
    "valkey",
]
