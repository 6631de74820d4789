"""`pip install .`: one package, complete, and nothing of ours beside it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import zipfile
from email.message import Message
from email.parser import Parser
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from setup import OWN_FILES, PARTS, in_package, module_name, part_files
from tests.packaging.conftest import ROOT, Host, required_setuptools

IMPORT_ALL = """
import importlib, pkgutil, punctual
for module in pkgutil.walk_packages(punctual.__path__, "punctual."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""
TRY_TOP_LEVEL = """
import importlib.util, sys
print([name for name in sys.argv[1:] if importlib.util.find_spec(name) is not None])
"""


@pytest.fixture(scope="session")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="session")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def test_there_is_one_package_and_nothing_else(names: set[str]) -> None:
    tops = {name.partition("/")[0] for name in names}
    assert tops == {
        "punctual",
        *(top for top in tops if re.fullmatch(r"punctual-.*dist-info", top)),
    }


def test_it_has_every_file_of_its_parts(names: set[str]) -> None:
    """Templates, styles and migrations, too."""
    parts = [ROOT / part for part in PARTS]
    paths = [*parts, *(path for part in parts for path in part.rglob("*"))]
    known = {
        path.relative_to(ROOT).as_posix()
        for path in paths
        if path.is_file() and path.suffix not in (".pyc", ".md")
    }
    inside = {name.removeprefix("punctual/") for name in names if name.startswith("punctual/")}
    assert inside == {*known, *OWN_FILES}


def test_only_imports_differ_from_the_checkout(wheel: Path) -> None:
    modules = {module_name(path) for path in part_files() if path.suffix == ".py"}
    with zipfile.ZipFile(wheel) as archive:
        for path in part_files():
            expected = (ROOT / path).read_bytes()
            if path.suffix == ".py":
                expected = in_package(expected.decode(), modules).encode()
            assert archive.read(f"punctual/{path.as_posix()}") == expected, path


def test_every_module_can_be_imported_with_nothing_of_the_checkout_in_reach(host: Host) -> None:
    result = host.run("-P", "-W", "ignore", "-c", IMPORT_ALL)
    assert result.returncode == 0, result.stderr


def test_no_module_of_ours_is_at_the_top_level(host: Host) -> None:
    tops = [part.removesuffix(".py") for part in PARTS]
    result = host.run("-P", "-c", TRY_TOP_LEVEL, *tops, "tests", "benchmarks", "setup")
    assert result.stdout.strip() == "[]", result.stderr


def test_it_needs_what_requirements_txt_says(metadata: Message) -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    required = [line.partition("#")[0].strip() for line in lines]
    assert metadata.get_all("Requires-Dist") == [
        *filter(None, required),
        'simcord==3.2.1; extra == "demo"',
    ]


def test_a_build_without_network_uses_the_setuptools_of_a_normal_one() -> None:
    assert f"{required_setuptools()}\n" in (ROOT / "requirements-dev.txt").read_text()


def test_its_command_is_there(installed: Path) -> None:
    (distribution,) = Distribution.discover(name="punctual", path=[str(installed)])
    (command,) = distribution.entry_points
    assert (command.group, command.name) == ("console_scripts", "punctual")
    assert command.value == "punctual.bot:main"
    assert (installed / "bin" / "punctual").is_file()


def test_it_runs_as_a_module(host: Host) -> None:
    result = host.run("-m", "punctual", "--help")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("usage: punctual ")
    assert host.run("-m", "punctual", "--version").stdout.startswith("punctual 0.")
    result = host.run("-m", "punctual")
    assert result.returncode == 2
    assert result.stderr.startswith("punctual: DISCORD_TOKEN is not set")
    assert result.stderr.rstrip().endswith("punctual --demo")


def test_the_demo_runs_with_its_bot_as_a_process(host: Host) -> None:
    with host.start(
        "-m", "punctual", "--demo", "--no-browser", settings={"DEMO_PORT": "0"}
    ) as demo:
        try:
            assert demo.stdout is not None
            assert demo.stdout.readline().startswith("Punctual demo: http://127.0.0.1:")
            demo.send_signal(signal.SIGINT)
            assert demo.wait(timeout=30) == 0
        finally:
            demo.kill()


def test_the_checkout_itself_has_no_punctual(tmp_path: Path) -> None:
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import punctual"
    command = [sys.executable, "-P", "-c", program]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "No module named 'punctual'" in result.stderr
