"""A Valkey of the test's own, to be stopped, killed and frozen."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from embedded import EmbeddedServers


class OwnValkey:
    """Durable: what it has acknowledged is there again after a restart, at the same URL."""

    def __init__(self, data_dir: Path) -> None:
        self._servers = EmbeddedServers(data_dir, postgres=False)
        self._frozen = False

    @property
    def url(self) -> str:
        """Known from the first start on."""
        return self._servers.redis_url

    async def start(self) -> None:
        await self._servers.start()

    async def stop(self) -> None:
        self.thaw()
        await self._servers.stop()

    async def restart(self) -> None:
        """Whether it runs, or has been killed."""
        await self._servers.restart_valkey()

    def kill(self) -> None:
        os.kill(self._servers.valkey_pid, signal.SIGKILL)

    def freeze(self) -> None:
        """It takes connections and commands, and answers nothing."""
        os.kill(self._servers.valkey_pid, signal.SIGSTOP)
        self._frozen = True

    def thaw(self) -> None:
        if self._frozen:
            os.kill(self._servers.valkey_pid, signal.SIGCONT)
            self._frozen = False
