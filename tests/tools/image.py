"""deploy/Dockerfile, step by step, in a Debian instead of a container: there is no Docker here.

It knows the few instructions that the file has, and fails at any other.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from tests.tools.debian import Debian

ROOT = Path(__file__).parents[2]
PYTHON = (
    "apt-get update -q && apt-get install -y -q procps python3-venv && python3 -m venv /opt/python"
)
"""In place of the image that the file begins with: a `python` and a `pip`."""
NO_STEP = ("FROM", "VOLUME", "STOPSIGNAL")


@dataclass
class Image:
    debian: Debian
    folder: str = "/"
    user: str = "root"
    environment: dict[str, str] = field(default_factory=dict[str, str])
    command: list[str] = field(default_factory=list[str])
    health_check: list[str] = field(default_factory=list[str])

    async def build(self) -> None:
        await self.debian.run(PYTHON)
        for instruction, rest in _instructions():
            match instruction:
                case "WORKDIR":
                    self.folder = rest
                    await self.debian.run(f"mkdir -p {rest}")
                case "COPY":
                    source, target = rest.split()
                    _copy(source, self.debian.root / self.folder[1:] / target)
                case "RUN":
                    await self.run(rest)
                case "USER":
                    self.user = rest
                case "ENV":
                    self.environment |= dict(word.split("=", 1) for word in shlex.split(rest))
                case "CMD":
                    self.command = json.loads(rest)
                case "HEALTHCHECK":
                    self.health_check = json.loads(rest.partition("CMD")[2])
                case _:
                    assert instruction in NO_STEP, instruction

    async def run(self, script: str, *, files: tuple[Path, ...] = ()) -> str:
        """In a container of it, with `--env-file` for each file."""
        status, said = await self.try_to_run(script, files=files)
        assert status == 0, said
        return said

    async def try_to_run(self, script: str, *, files: tuple[Path, ...] = ()) -> tuple[int, str]:
        environment = dict(self.environment)
        for file in files:
            lines = file.read_text(encoding="utf-8").splitlines()  # it is small
            said = [line for line in lines if line and not line.startswith("#")]
            environment |= dict(line.split("=", 1) for line in said)
        exports = "".join(f"export {k}={shlex.quote(v)}\n" for k, v in environment.items())
        return await self.debian.try_to_run(
            f"export PATH=/opt/python/bin:$PATH\n{exports}{script}",
            user=self.user,
            cwd=self.folder,
        )


def _instructions() -> Iterator[tuple[str, str]]:
    text = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            instruction, rest = line.split(maxsplit=1)
            yield instruction, rest


def _copy(source: str, target: Path) -> None:
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    for name in listed.stdout.splitlines():
        if source in (".", name) and not _is_ignored(PurePosixPath(name), ignored):
            destination = target / name
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, destination)


def _is_ignored(path: PurePosixPath, patterns: list[str]) -> bool:
    return any(
        fnmatch(str(each), pattern.removeprefix("**/"))
        for pattern in patterns
        for each in (path, *path.parents)
    )
