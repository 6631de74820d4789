"""One demo for the tests that only use it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator

import pytest

from tests.demo.demo_process import running_demo
from tests.demo.visitor import Visitor


@pytest.fixture(scope="package")
def demo_url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with running_demo(tmp_path_factory.mktemp("demo") / "data") as demo:
        yield demo.url()


@pytest.fixture
async def visitor(demo_url: str) -> AsyncGenerator[Visitor]:
    async with Visitor.at(demo_url) as visitor:
        yield visitor
