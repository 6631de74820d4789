"""The environment for fault tests, here too."""

from __future__ import annotations

from tests.faults.conftest import (
    database_url,
    fault_env,
    forgetful_discord,
    own_servers,
    postgres,
    valkey,
)

__all__ = [
    "database_url",
    "fault_env",
    "forgetful_discord",
    "own_servers",
    "postgres",
    "valkey",
]
