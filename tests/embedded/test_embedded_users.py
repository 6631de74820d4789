"""Whoever runs the bot: root, root in a place of its own, or an ordinary user."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest

from embedded import EmbeddedServers
from tests.embedded.bot_process import environment
from tests.embedded.conftest import Launch
from tests.embedded.observing import eventually, owner_of, permissions_of

NOBODY = pwd.getpwnam("nobody").pw_uid
DAEMON = pwd.getpwnam("daemon").pw_uid

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="shows what is special about root")


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """A place that every user can reach."""
    with TemporaryDirectory(dir="/tmp") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@pytest.fixture
def closed_dir(tmp_path: Path) -> Path:
    """A place that only its owner can reach."""
    if subprocess.run(["unshare", "--user", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system allows no user namespace")
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.fixture
def ordinary_python() -> str:
    """An interpreter that an ordinary user can run, with what the servers need."""
    if os.geteuid() != 0:
        return sys.executable
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/local/bin/{version}", f"/usr/bin/{version}"):
        try:
            subprocess.run(
                [python, "-P", "-c", "import embedded"],
                check=True,
                capture_output=True,
                env=environment(),
                user=NOBODY,
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    pytest.skip(f"the user nobody can reach no {version}, or not the packages")


@as_root
async def test_root_runs_postgres_as_an_ordinary_user(open_dir: Path) -> None:
    async with EmbeddedServers(open_dir / "data", durable=False) as servers:
        assert owner_of(servers.postgres_pid) == NOBODY
        assert await database(servers.database_url) == "punctual"


@as_root
async def test_root_runs_postgres_where_only_root_can_come(closed_dir: Path) -> None:
    async with EmbeddedServers(closed_dir / "data", durable=False) as servers:
        assert owner_of(servers.postgres_pid) == 0
        assert await database(servers.database_url) == "punctual"
    assert permissions_of(closed_dir) == 0o700


@as_root
async def test_data_may_move_between_such_places(open_dir: Path, closed_dir: Path) -> None:
    opened, closed = open_dir / "data", closed_dir / "data"
    async with EmbeddedServers(opened, valkey=False, durable=False):
        pass
    shutil.move(opened, closed)
    async with EmbeddedServers(closed, valkey=False, durable=False) as servers:
        assert await database(servers.database_url) == "punctual"
    shutil.move(closed, opened)
    async with EmbeddedServers(opened, valkey=False, durable=False) as servers:
        assert await database(servers.database_url) == "punctual"


@as_root
async def test_root_runs_postgres_as_the_user_in_whose_home_the_bot_is(open_dir: Path) -> None:
    home = open_dir / "home"
    home.mkdir(mode=0o700)
    os.chown(home, DAEMON, DAEMON)
    async with EmbeddedServers(home / "bot" / "data", durable=False) as servers:
        assert owner_of(servers.postgres_pid) == DAEMON
        assert await database(servers.database_url) == "punctual"


@as_root
async def test_root_leaves_a_cluster_to_the_user_who_has_it(
    first_run: Path, open_dir: Path
) -> None:
    data_dir = Path(shutil.copytree(first_run, open_dir / "data"))
    for path in (data_dir / "postgres", *(data_dir / "postgres").rglob("*")):
        os.chown(path, DAEMON, DAEMON)
    async with EmbeddedServers(data_dir, valkey=False, durable=False) as servers:
        assert owner_of(servers.postgres_pid) == DAEMON
        assert await database(servers.database_url) == "punctual"


@as_root
async def test_root_is_told_when_there_is_no_way_to_run_postgres(
    closed_dir: Path, launch: Launch
) -> None:
    forbid_namespaces = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    bot = await launch(
        closed_dir,
        inside=("unshare", "--user", "--map-root-user", "sh", "-c", forbid_namespaces, "sh"),
    )
    assert (await bot.report()).error == (
        "PostgreSQL runs neither as root nor as a user without a name, and no other user "
        f"can reach both {closed_dir} and the Python environment: start the bot as an "
        "ordinary user, or set DATABASE_URL."
    )


async def test_an_ordinary_user_needs_no_privilege(
    open_dir: Path, launch: Launch, ordinary_python: str
) -> None:
    uid = NOBODY if os.geteuid() == 0 else None
    if uid:
        os.chown(open_dir, uid, -1)
    bot = await launch(open_dir / "data", python=ordinary_python, uid=uid)
    report = await bot.report()

    assert report.error == ""
    assert {owner_of(pid) for pid in report.pids} == {os.geteuid() or NOBODY}
    assert await database(report.database_url) == "punctual"

    await bot.kill()
    await eventually(lambda: not report.is_left_over)


async def database(url: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("SELECT current_database()")
    finally:
        await connection.close()
