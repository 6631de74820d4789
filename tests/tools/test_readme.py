"""The README's first commands, copied and pasted by somebody who has a new Debian."""

from __future__ import annotations

import asyncio

import pytest

from tests.tools.debian import Debian
from tests.tools.pages import blocks_of
from tests.tools.service import ROOT, Service
from tests.waiting import eventually

pytestmark = [pytest.mark.tools, pytest.mark.timeout(1800)]

SAID = "/home/reader/said"
START_TIMEOUT_S = 300


async def test_the_two_commands_work_as_they_stand(debian: Debian) -> None:
    _ = Service(debian)
    [block] = [each for each in blocks_of(ROOT / "README.md") if each.section == "Try it"]
    await debian.run("apt-get update -q && apt-get install -y -q git procps python3-venv")
    await debian.run("useradd --create-home reader")
    await debian.run("git clone -q /srv/punctual punctual", user="reader", cwd="/home/reader")
    pasted = asyncio.create_task(
        debian.try_to_run(
            # What stands in the README, but with one file of the tests: all take ten minutes.
            "set +e; export PYTHONUNBUFFERED=1 PYTEST_ADDOPTS='-n 0 tests/test_formatting.py'\n"
            f"exec > {SAID} 2>&1\n{block.commands}",
            user="reader",
            cwd="/home/reader/punctual",
        )
    )
    said = debian.root / SAID[1:]

    def shows_its_address() -> bool:
        assert not pasted.done(), said.read_text(encoding="utf-8")
        return said.exists() and "http://127.0.0.1:" in said.read_text(encoding="utf-8")

    await eventually(shows_its_address, timeout_s=START_TIMEOUT_S)
    await debian.run("pkill -INT -f 'bot.py --demo$'")
    status, _ = await pasted
    text = said.read_text(encoding="utf-8")
    assert status == 0, text
    assert "100%" in text, text
    assert "error" not in text.lower(), text
