"""Data directories, empty or filled, and bots to kill."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

import pytest

from embedded import EmbeddedServers
from tests.embedded.bot_process import BotProcess


class Launch(Protocol):
    """Launch a bot; it is killed when the test ends, if it was not before."""

    async def __call__(
        self,
        data_dir: Path,
        *,
        python: str = ...,
        uid: int | None = ...,
        inside: tuple[str, ...] = ...,
    ) -> BotProcess: ...


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a first start leaves behind: making it takes longer than a whole test otherwise."""

    async def run_once() -> None:
        async with EmbeddedServers(data_dir, durable=False):
            pass

    data_dir = tmp_path_factory.mktemp("first_run") / "data"
    asyncio.run(run_once())
    return data_dir


@pytest.fixture
def data_dir(first_run: Path, tmp_path: Path) -> Path:
    """Used before. If the tests run as root, only root can reach it."""
    return Path(shutil.copytree(first_run, tmp_path / "data"))


@pytest.fixture
async def launch() -> AsyncIterator[Launch]:
    async with AsyncExitStack() as stack:

        async def launch_bot(
            data_dir: Path,
            *,
            python: str = sys.executable,
            uid: int | None = None,
            inside: tuple[str, ...] = (),
        ) -> BotProcess:
            bot = await BotProcess.launch(data_dir, python=python, uid=uid, inside=inside)
            stack.push_async_callback(bot.kill)
            return bot

        yield launch_bot
