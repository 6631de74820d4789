"""What the pages take for granted: an address to clone from, an editor, and a Discord."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

from tests.tools.debian import Debian
from tests.wire import LAUNCHER, TOKEN, Discord

ROOT = Path(__file__).parents[2]
PAGE = "https://git.example.org/punctual"
GIT = f"""[url "/srv/punctual"]
    insteadOf = {PAGE}
[safe]
    directory = *
"""
EDITOR = f"""#!/bin/sh
exec sed -i 's/^DISCORD_TOKEN=.*/DISCORD_TOKEN={TOKEN}/' "$1"
"""
NEWER_VERSION = """cd /srv/punctual
git config user.name maintainer
git config user.email maintainer@example.org
git update-ref HEAD "$(git commit-tree -p HEAD -m "A newer version" 'HEAD^{tree}')"
"""
START_TRIES = 30


class Service:
    """The bot of `/opt/punctual`."""

    def __init__(self, debian: Debian) -> None:
        self._debian = debian
        root = debian.root
        _clone(root / "srv/punctual")
        (root / "etc/gitconfig").write_text(GIT, encoding="utf-8")
        editor = root / "usr/local/bin/editor"
        editor.write_text(EDITOR, encoding="utf-8")
        editor.chmod(0o755)

    async def command(self, arguments: str) -> str:
        return await self._debian.run(
            f"sudo -u punctual .venv/bin/python bot.py {arguments}", cwd="/opt/punctual"
        )

    async def shows(self, text: str) -> None:
        """`timers` answers, with this; and systemd holds the bot for running."""
        said = ""
        for _ in range(START_TRIES):
            status, said = await self._debian.try_to_run(
                "systemctl is-active punctual && cd /opt/punctual"
                " && sudo -u punctual .venv/bin/python bot.py timers"
            )
            if status == 0 and text in said:
                return
            await asyncio.sleep(1)
        journal = await self._debian.run("journalctl -u punctual -n 60 --no-pager")
        raise AssertionError(f"{said}\n{journal}")


def lead_to_discord(environment: Path, discord: Discord) -> None:
    """Whatever runs in this virtual environment finds the stand-in, as in wire/launch.py."""
    for packages in environment.glob("lib/python3.*/site-packages"):
        (packages / "launch.py").write_bytes(LAUNCHER.read_bytes())
        (packages / "stand_in.py").write_text(
            "try:\n"
            "    import os, discord, launch\n"
            f"    os.environ |= {discord.environment!r}\n"
            "    launch.point_discord_py_at_the_stand_in()\n"
            "except ImportError:\n"
            "    pass  # pip is still installing it\n",
            encoding="utf-8",
        )
        (packages / "stand_in.pth").write_text("import stand_in\n", encoding="utf-8")


def _clone(target: Path) -> None:
    """What is checked out, on a branch, whatever it is on here."""
    for command in (
        ("-c", "safe.directory=*", "clone", "-q", "--bare", f"file://{ROOT}", target),
        ("-C", target, "update-ref", "refs/heads/published", "HEAD"),
        ("-C", target, "symbolic-ref", "HEAD", "refs/heads/published"),
    ):
        subprocess.run(["git", *command], check=True)
