"""A fresh Debian 12 with systemd running in it: mmdebstrap makes it, systemd-nspawn starts it.

It shares the network of the machine, so that it reaches the package registries and a Discord that
stands in on 127.0.0.1. Root alone can run it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.waiting import eventually

PACKAGES = "systemd-sysv,dbus,ca-certificates,python3"
"""What every installed Debian has, as far as our pages need it."""
FROM_HERE = ("etc/resolv.conf", "etc/pip.conf", "etc/ssl/certs/ca-certificates.crt")
"""How this machine reaches the registries."""
IN_ITS_WAY = ("apt-daily.timer", "apt-daily-upgrade.timer")
BOOT_TIMEOUT_S = 120
COMMAND_TIMEOUT_S = 900


def make_archive(archive: Path) -> Path:
    """Once for all tests; a minute."""
    if not archive.exists():
        draft = archive.with_suffix(".new.tar")
        _run("mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(draft))
        draft.rename(archive)
    return archive


@dataclass(frozen=True)
class Debian:
    root: Path
    leader: int

    async def run(self, script: str, *, user: str = "root", cwd: str = "/") -> str:
        """What a shell says to the script. Fails where one of its lines does."""
        status, said = await self.try_to_run(script, user=user, cwd=cwd)
        assert status == 0, f"{script}\n--- ended with {status}:\n{said}"
        return said

    async def try_to_run(
        self, script: str, *, user: str = "root", cwd: str = "/"
    ) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *("nsenter", "-t", str(self.leader), "-a", "--root", "--wd"),
            *("env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            *("LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "runuser", "-u", user, "--"),
            *("bash", "-ec", f'export HOME=~; cd "{cwd}"\n{script}'),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(COMMAND_TIMEOUT_S):
            said, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode(errors="replace")


@asynccontextmanager
async def fresh_debian(archive: Path, root: Path) -> AsyncGenerator[Debian]:
    """Started, and taken away at the end."""
    assert os.geteuid() == 0, "only root can start a Debian"
    await asyncio.to_thread(_lay_out, archive, root)
    console = root.with_suffix(".console")
    with console.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot"),
            *("--resolv-conf=off", "--link-journal=no", f"--directory={root}"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        debian = Debian(root, await _leader(process.pid))
        await eventually(lambda: _is_up(debian), timeout_s=BOOT_TIMEOUT_S)
        yield debian
    finally:
        process.terminate()
        try:
            async with asyncio.timeout(BOOT_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        await asyncio.to_thread(shutil.rmtree, root)


def _lay_out(archive: Path, root: Path) -> None:
    root.mkdir(mode=0o755)
    _run("tar", "-C", str(root), "-xpf", str(archive))
    for name in FROM_HERE:
        if Path("/", name).exists():
            shutil.copy(Path("/", name), root / name)
    (root / "etc/hostname").write_text("debian\n", encoding="ascii")
    (root / "etc/hosts").write_text("127.0.0.1 localhost debian\n", encoding="ascii")
    for name in IN_ITS_WAY:
        (root / "etc/systemd/system" / name).symlink_to("/dev/null")


async def _leader(nspawn: int) -> int:
    """Its systemd, the only child of systemd-nspawn."""
    children = Path(f"/proc/{nspawn}/task/{nspawn}/children")
    leader = 0

    def is_there() -> bool:
        nonlocal leader
        leader = int(children.read_text(encoding="ascii").strip() or 0)
        comm = Path(f"/proc/{leader}/comm")
        return leader != 0 and comm.read_text(encoding="ascii").strip() == "systemd"

    await eventually(is_there)
    return leader


async def _is_up(debian: Debian) -> bool:
    _, said = await debian.try_to_run("systemctl is-system-running || true")
    return said.strip() in ("running", "degraded")


def _run(*command: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"{' '.join(command)}: {ended.stdout}{ended.stderr}"
