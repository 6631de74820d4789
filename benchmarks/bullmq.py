"""The third rival, if Node.js and the package are there; bullmq.mjs measures it."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

from benchmarks.measuring import BULK, FAR_OFF_S, IDLE_S, STUCK_JOBS, TIMERS, TIMERS_EVERY_S, Result

_HERE = Path(__file__).parent


def is_installed() -> bool:
    packages = (_HERE / "node_modules" / name for name in ("bullmq", "ioredis"))
    return shutil.which("node") is not None and all(package.is_dir() for package in packages)


async def measure_bullmq(url: str) -> Result | None:
    """None if it failed; Node.js has said why."""
    sizes = {
        "timers": TIMERS,
        "timersEvery": TIMERS_EVERY_S,
        "bulk": BULK,
        "farOff": FAR_OFF_S,
        "idle": IDLE_S,
        "stuckJobs": STUCK_JOBS,
    }
    process = await asyncio.create_subprocess_exec(
        *("node", str(_HERE / "bullmq.mjs"), json.dumps(_connection(url)), json.dumps(sizes)),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return Result(**json.loads(output)) if process.returncode == 0 else None


def _connection(url: str) -> dict[str, object]:
    """In the words of its Redis client, which knows no unix:// URLs."""
    parts = urlsplit(url)
    connection: dict[str, object] = {"password": unquote(parts.password or "") or None}
    if parts.scheme == "unix":
        return connection | {"path": parts.path}
    if parts.scheme == "rediss":
        connection["tls"] = dict[str, str]()
    return connection | {"host": parts.hostname, "port": parts.port or 6379}
