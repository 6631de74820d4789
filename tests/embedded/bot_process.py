"""A bot, as far as its servers can tell: a process of its own that starts them and stays.

As a program it does just that; imported, it is the handle by which a test starts and kills one.
"""

import asyncio
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import asyncpg

from embedded import EmbeddedServers, EmbeddedServersError
from tests.embedded.observing import is_running

_PROJECT = Path(__file__).parents[2]
_PACKAGES = Path(asyncpg.__file__).parents[1]


@dataclass(frozen=True)
class Report:
    """What the bot prints once its servers run, or why they don't."""

    database_url: str = ""
    redis_url: str = ""
    postgres_pid: int = 0
    valkey_pid: int = 0
    error: str = ""

    @classmethod
    def of(cls, servers: EmbeddedServers) -> Self:
        return cls(
            servers.database_url, servers.redis_url, servers.postgres_pid, servers.valkey_pid
        )

    @property
    def pids(self) -> tuple[int, int]:
        return self.postgres_pid, self.valkey_pid

    @property
    def socket_dirs(self) -> tuple[Path, Path]:
        return (
            Path(self.database_url.partition("?host=")[2]),
            Path(self.redis_url.partition("@")[2]).parent,
        )

    @property
    def is_left_over(self) -> bool:
        return any(map(is_running, self.pids)) or any(path.exists() for path in self.socket_dirs)


class BotProcess:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def launch(
        cls,
        data_dir: Path,
        *,
        python: str = sys.executable,
        uid: int | None = None,
        inside: tuple[str, ...] = (),
    ) -> Self:
        """As user `uid`, if given; `inside` is a command that starts another one."""
        return cls(
            await asyncio.create_subprocess_exec(
                *(*inside, python, "-P", __file__, str(data_dir)),
                stdout=asyncio.subprocess.PIPE,
                env=environment(),
                user=uid,
                group=uid,
                extra_groups=None if uid is None else [],
            )
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    async def report(self) -> Report:
        assert self._process.stdout
        return Report(**json.loads(await self._process.stdout.readline()))

    async def kill(self) -> None:
        """End it as the kernel would: nothing of it runs any more."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()


def environment() -> dict[str, str]:
    """In which even another interpreter finds this project and its packages."""
    return os.environ | {"PYTHONPATH": os.pathsep.join((str(_PROJECT), str(_PACKAGES)))}


async def _main(data_dir: Path) -> None:
    servers = EmbeddedServers(data_dir)
    try:
        await servers.start()
    except EmbeddedServersError as error:
        report = Report(error=str(error))
    else:
        report = Report.of(servers)
    sys.stdout.write(json.dumps(asdict(report)) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
