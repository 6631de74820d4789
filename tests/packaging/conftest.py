"""The wheel, built once, and a host bot that has it installed."""

from __future__ import annotations

import fcntl
import importlib.metadata
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from domains.settings import Settings

ROOT = Path(__file__).parents[2]
HOST = Path(__file__).parent / "host"


def pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def required_setuptools() -> str:
    (required,) = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    return required


def build_wheel(folder: Path) -> None:
    """With the setuptools that pyproject.toml names, if it is here: then no network is needed."""
    try:
        here = f"setuptools=={importlib.metadata.version('setuptools')}"
    except importlib.metadata.PackageNotFoundError:
        here = None
    options = ["--no-build-isolation"] if here == required_setuptools() else []
    pip("wheel", "--no-deps", "--wheel-dir", folder, *options, ROOT)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by the first worker that needs it, for all of them."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "wheel"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not list(folder.glob("*.whl")):
            build_wheel(folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package and nothing else in it."""
    folder = tmp_path_factory.mktemp("installed")
    pip("install", "--no-deps", "--no-index", "--target", folder, wheel)
    return folder


class Host:
    """Runs Python in the host's folder: its modules come first, then the installed package."""

    def __init__(self, folder: Path, installed: Path) -> None:
        self._folder = folder
        self._installed = installed

    @property
    def settings(self) -> dict[str, str]:
        return {
            "DATA_DIR": str(self._folder / "data"),
            "MIN_CLOSE_DELAY": "1",
            "DASHBOARD_PASSWORD": "a secret of the host",
            "DASHBOARD_PORT": str(_free_port()),
        }

    def run(
        self, *arguments: str, settings: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self._folder,
            env=self._environment(self.settings if settings is None else settings),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def start(self, *arguments: str, settings: Mapping[str, str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self._folder,
            env=self._environment(self.settings | dict(settings)),
            stdout=subprocess.PIPE,
            text=True,
        )

    def _environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        unset = {name.upper() for name in Settings.model_fields}
        kept = {k: v for k, v in os.environ.items() if k.upper() not in unset}
        return kept | {"PYTHONPATH": str(self._installed)} | dict(settings)


@pytest.fixture
def host(tmp_path: Path, installed: Path) -> Host:
    folder = tmp_path / "host"
    shutil.copytree(HOST, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "bot.py").write_text(f'{code_in_readme()}\n\nOWNER = "host"\n', encoding="utf-8")
    return Host(folder, installed)


def code_in_readme() -> str:
    """What README.md tells a host to write."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    return code


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
