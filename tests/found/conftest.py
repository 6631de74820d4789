"""The laboratory of tests/faults, for these tests too."""

from __future__ import annotations

from tests.faults.conftest import (
    database_url,
    forgetful_discord,
    lab,
    own_servers,
    postgres,
    valkey,
)

__all__ = [
    "database_url",
    "forgetful_discord",
    "lab",
    "own_servers",
    "postgres",
    "valkey",
]
