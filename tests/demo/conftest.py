"""One demo for the tests that only use it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator

import pytest
from aiohttp import ClientSession, TCPConnector

from tests.demo.demo_process import running_demo
from tests.demo.front_window import FrontWindow


@pytest.fixture(scope="module")
def demo_url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with running_demo(tmp_path_factory.mktemp("demo") / "data") as demo:
        yield demo.url()


@pytest.fixture
async def session() -> AsyncGenerator[ClientSession]:
    async with ClientSession(connector=TCPConnector(force_close=True)) as session:
        yield session


@pytest.fixture
async def front(session: ClientSession, demo_url: str) -> FrontWindow:
    return await FrontWindow.open(session, demo_url)
