"""What can be seen of processes and files from outside."""

import asyncio
from collections.abc import Callable
from pathlib import Path


def is_running(pid: int) -> bool:
    """Whether it does anything any more, which a zombie does not."""
    try:
        return _status(pid)[0] != "Z"
    except FileNotFoundError:
        return False


def parent_of(pid: int) -> int:
    return int(_status(pid)[1])


def owner_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def environment_of(pid: int) -> str:
    return Path(f"/proc/{pid}/environ").read_text(encoding="utf-8")


def permissions_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  # another process makes it true
            await asyncio.sleep(0.01)


def _status(pid: int) -> list[str]:
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return text.rpartition(")")[2].split()
