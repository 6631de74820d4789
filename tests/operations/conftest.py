"""The commands as they are typed, beside a bot whose part the test plays."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from domains.settings import Settings
from tests.web.conftest import ends_soon, web_env

__all__ = ["ends_soon", "web_env"]

BOT = Path(__file__).parents[2] / "bot.py"
TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcdE.a-secret-that-is-nobodys-business"


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class Typed:
    """`await typed("check")`, in an empty directory, with these settings and no others."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        self.settings = {name.upper(): None for name in Settings.model_fields} | dict(settings)

    async def __call__(self, *arguments: str) -> Ran:
        environment = {k: v for k, v in os.environ.items() if k.upper() not in self.settings}
        chosen = {name: value for name, value in self.settings.items() if value is not None}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-W",
            "error::ResourceWarning",
            str(BOT),
            *arguments,
            cwd=self._folder,
            env=environment | chosen,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode is not None
        return Ran(process.returncode, out.decode(), err.decode())


@pytest.fixture
def typed(settings: Settings, tmp_path: Path) -> Typed:
    """On the servers of `web_env`."""
    return Typed(
        tmp_path,
        {
            "DISCORD_TOKEN": TOKEN,
            "DATABASE_URL": settings.database_address or "",
            "REDIS_URL": settings.redis_address or "",
            "DATA_DIR": str(tmp_path / "data"),
        },
    )
