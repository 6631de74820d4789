"""Fixtures are made elsewhere; here pytest finds them."""

from __future__ import annotations

from tests.faults.conftest import forgetful_discord
from tests.found.conftest_a14 import (
    database_url,
    fault_env,
    own_servers,
    postgres,
    proxy,
    sql,
    valkey,
)

__all__ = [
    "database_url",
    "fault_env",
    "forgetful_discord",
    "own_servers",
    "postgres",
    "proxy",
    "sql",
    "valkey",
]
