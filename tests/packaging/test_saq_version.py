"""The scheduler is built on SAQ's internals: another version is refused, in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import discord
import pytest
import saq
from discord.ext import commands

from bot import Punctual, create_bot
from domains.errors import StartupError
from domains.scheduled_task.saq_version import REQUIRED_SAQ
from domains.settings import Settings

ROOT = Path(__file__).parents[2]


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saq, "__version__", "0.27.0")
    host = commands.Bot("!", intents=discord.Intents.none())

    def in_a_host(settings: Settings) -> Punctual:
        return Punctual(host, settings)

    for make in (create_bot, in_a_host):
        with pytest.raises(StartupError) as error:
            make(Settings())
        assert "0.27.0" in str(error.value)
        assert REQUIRED_SAQ in str(error.value)
        assert "\n" not in str(error.value)


def test_a_version_that_cannot_even_be_imported_is_named(tmp_path: Path) -> None:
    (tmp_path / "saq.py").write_text('__version__ = "0.12.0"\n')
    result = subprocess.run(
        [sys.executable, "-c", "import bot"],
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    last = result.stderr.splitlines()[-1]
    assert last.startswith("domains.errors.StartupError: SAQ 0.12.0 is installed")


def test_the_version_is_the_one_in_the_requirements() -> None:
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert f"saq[redis]=={REQUIRED_SAQ}" in requirements
