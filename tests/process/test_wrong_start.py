"""A start that cannot succeed: one line, and nobody was contacted before it was written."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import shutil
import socket
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.process.bot_process import ROOT, running_bot, start_bot
from tests.wire import TOKEN, Discord

Environment = Mapping[str, str]
PROGRAM = ("cogs", "domains", "embedded", "locales", "migrations", "operations", "web")


@asynccontextmanager
async def counting_server() -> AsyncGenerator[tuple[int, list[object]]]:
    """Its port, and who has come."""
    came: list[object] = []

    async def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(writer.get_extra_info("peername"))
        writer.close()

    async with await asyncio.start_server(note, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], came


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The program somewhere else, with a `.env` of its own."""
    root = tmp_path / "checkout"
    for name in PROGRAM:
        shutil.copytree(ROOT / name, root / name)
    for name in ("bot.py", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    return root


async def health(root: Path, environment: Environment) -> tuple[int | None, str]:
    """Without Discord's address, so that asking it would fail."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(root / "bot.py"), "health"),
        env={"PATH": os.environ["PATH"], **environment},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode().rstrip("\n")


async def test_a_wrong_setting_is_all_that_is_said_and_nobody_was_contacted(
    discord: Discord, tmp_path: Path
) -> None:
    """Which values are wrong, and what is said of each: tests/test_wrong_settings.py."""
    async with counting_server() as (port, came):
        settings = {
            "DATABASE_URL": f"postgresql://bot:hunter2@127.0.0.1:{port}/x",
            "REDIS_URL": f"redis://127.0.0.1:{port}",
            "DATA_DIR": str(tmp_path),
            "DASHBOARD_PASSWORD": "hunter2hunter2",
            "DASHBOARD_HOST": "192.0.2.1",
        }
        bot = await start_bot(discord, settings, cwd=tmp_path)
        assert await bot.ended() == 2
    [line] = bot.lines
    assert line.startswith("punctual: DASHBOARD_HOST: 192.0.2.1 is not an address of this machine")
    assert "hunter2" not in line
    assert came == []
    assert discord.requests == []


async def test_a_wrong_setting_makes_no_servers_either(discord: Discord, tmp_path: Path) -> None:
    """Said as JSON where that is wanted."""
    wrong = {"DATA_DIR": str(tmp_path), "LOG_LEVEL": "LOUD", "LOG_FORMAT": "json"}
    bot = await start_bot(discord, wrong)
    assert await bot.ended() == 2
    assert os.listdir(tmp_path) == []  # noqa: PTH208  # pathlib would be said to block
    [line] = bot.lines
    said = json.loads(line)
    assert (said["level"], said["logger"]) == ("ERROR", "punctual")
    assert said["message"].startswith("LOG_LEVEL: ")


async def test_an_unreachable_database_is_all_that_is_said_and_ends_with_1(
    discord: Discord, environment: Environment, checkout: Path
) -> None:
    """Nor is a file warned of that only its owner reads."""
    file = checkout / ".env"
    file.write_text(
        f"DISCORD_TOKEN={TOKEN}\nDATABASE_URL=postgresql://bot:hunter2@127.0.0.1:1/x\n",
        encoding="utf-8",
    )
    file.chmod(0o600)
    settings = {"DATA_DIR": environment["DATA_DIR"], "REDIS_URL": environment["REDIS_URL"]}
    bot = await start_bot(discord, settings, root=checkout)
    assert await bot.ended() == 1
    [line] = bot.lines
    assert line.startswith("punctual: DATABASE_URL: PostgreSQL cannot be used: ")
    assert "hunter2" not in line


async def test_a_taken_port_is_blamed_on_the_port(
    discord: Discord, environment: Environment
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = {"DASHBOARD_PASSWORD": "x", "DASHBOARD_PORT": str(port)}
        bot = await start_bot(discord, {**environment, **settings})
        assert await bot.ended() == 1
    [line] = bot.lines
    assert line.startswith(f"punctual: DASHBOARD_PORT: cannot listen on 127.0.0.1:{port}: ")


async def test_file_and_data_lie_beside_the_program_and_an_open_file_is_warned_of(
    discord: Discord, environment: Environment, checkout: Path, tmp_path: Path
) -> None:
    """Wherever it is started."""
    file = checkout / ".env"
    file.write_text(f"DISCORD_TOKEN={TOKEN}\nDATA_DIR=kept\n", encoding="utf-8")
    file.chmod(0o644)
    servers = {name: environment[name] for name in ("DATABASE_URL", "REDIS_URL")}
    async with running_bot(
        discord, {**servers, "DISCORD_TOKEN": ""}, root=checkout, cwd=tmp_path
    ) as bot:
        first = bot.lines[0]
        assert f"WARNING punctual: {file} can be read by every user of this machine" in first
        assert (checkout / "kept").is_dir()
        assert not (tmp_path / "kept").exists()
        assert await health(checkout, servers) == (0, "ok: running, and connected to Discord")
        assert await bot.terminate() == 0


async def test_it_says_its_version() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "bot.py"), "--version"), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert out.decode().startswith("punctual 0.")


def test_an_older_python_can_read_what_tells_it_so() -> None:
    """The whole file is parsed before its first line runs."""
    source = (ROOT / "bot.py").read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 7))
    _docstring, future, _sys, refusal = tree.body[:4]
    assert isinstance(future, ast.ImportFrom)
    assert isinstance(refusal, ast.If)


async def test_an_older_python_is_told_what_is_needed() -> None:
    """Played by this one, which then has none of the packages either."""
    script = (
        "import sys, runpy; sys.version_info = (3, 10, 99); "
        f"sys.path[:] = [path for path in sys.path if 'site-packages' not in path]; "
        f"runpy.run_path({str(ROOT / 'bot.py')!r}, run_name='__main__')"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert (process.returncode, out) == (2, b"")
    assert err.decode() == "punctual: Python 3.11 or newer is needed; see README.md\n"
