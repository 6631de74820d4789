"""The environment for fault tests, here too, and a Debian of one's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from tests.faults.conftest import (
    database_url,
    fault_env,
    forgetful_discord,
    own_servers,
    postgres,
    valkey,
)
from tests.tools.debian import Debian, fresh_debian, make_archive

__all__ = [
    "database_url",
    "fault_env",
    "forgetful_discord",
    "own_servers",
    "postgres",
    "valkey",
]


@pytest.fixture
async def debian(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Debian]:
    cache = request.config.cache
    assert cache is not None
    archive = make_archive(cache.mkdir("debian") / "bookworm.tar")
    async with fresh_debian(archive, tmp_path_factory.mktemp("debian") / "root") as started:
        yield started
