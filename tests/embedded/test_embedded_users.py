"""Whoever runs the bot: root, root in a place of its own, or an ordinary user."""

import asyncio
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
from embedded.privileges import OWN_IDS
from tests.embedded.bot_process import environment
from tests.embedded.conftest import Launch
from tests.embedded.observing import eventually, owner_of, permissions_of

NOBODY = pwd.getpwnam("nobody").pw_uid
OWN = OWN_IDS[0]
NAMELESS = 54321
NO_NAMESPACES = (sys.executable, str(Path(__file__).parent / "no_namespaces.py"))
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
async def test_root_runs_the_servers_as_a_user_of_their_own(open_dir: Path) -> None:
    """No other program of the machine is that user, as many a one is `nobody`."""
    async with EmbeddedServers(open_dir / "data", durable=False) as servers:
        assert {owner_of(servers.postgres_pid), owner_of(servers.valkey_pid)} == {OWN}
        assert await database(servers.database_url) == "punctual"
        sockets = [servers.database_url.partition("?host=")[2]]
        sockets += [os.path.dirname(servers.redis_url.partition("@")[2])]  # noqa: PTH120
        data = [open_dir / "data" / name for name in ("postgres", "valkey")]
        for path in (*sockets, *data, *(open_dir / "data").glob("*.password")):
            reading = await asyncio.create_subprocess_exec(
                *("sh", "-c", 'ls "$1" && cat "$1"', "sh", str(path)),
                user=NOBODY,
                group=NOBODY,
                extra_groups=[],
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            _, complaint = await reading.communicate()
            assert b"Permission denied" in complaint, path


@as_root
async def test_what_belonged_to_nobody_is_taken_over(first_run: Path, open_dir: Path) -> None:
    """As an older version left it."""
    data_dir = Path(shutil.copytree(first_run, open_dir / "data"))
    for path in (data_dir / "postgres", *(data_dir / "postgres").rglob("*")):
        os.chown(path, NOBODY, -1)
    async with EmbeddedServers(data_dir, durable=False) as servers:
        assert owner_of(servers.postgres_pid) == OWN
        assert await database(servers.database_url) == "punctual"
    assert {path.stat().st_uid for path in (data_dir / "postgres").rglob("*")} == {OWN}


@as_root
async def test_without_user_namespaces_the_servers_have_their_own_user_too(
    open_dir: Path, launch: Launch
) -> None:
    """As in most containers. Only the files of the first start are made by another one."""
    bot = await launch(open_dir / "data", inside=NO_NAMESPACES)
    report = await bot.report()
    assert report.error == ""
    assert {owner_of(pid) for pid in report.pids} == {OWN}
    assert await database(report.database_url) == "punctual"
    files = (open_dir / "data" / "postgres").rglob("*")
    assert {path.stat().st_uid for path in files} == {OWN}


@as_root
async def test_valkey_runs_as_root_only_where_there_is_no_other_way(closed_dir: Path) -> None:
    script = """import asyncio, logging, sys
from pathlib import Path
from embedded import EmbeddedServers
logging.basicConfig()

async def main():
    async with EmbeddedServers(Path(sys.argv[1]), postgres=False) as servers:
        print(servers.valkey_pid)

asyncio.run(main())
"""
    started = await asyncio.create_subprocess_exec(
        *(*NO_NAMESPACES, sys.executable, "-c", script, str(closed_dir / "data")),
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await started.communicate()
    assert out.strip().isdigit()
    assert b"Valkey runs as root: no other user can reach both " in err


@as_root
async def test_a_link_in_valkeys_directory_is_not_followed(open_dir: Path) -> None:
    """Root writes there what another user owns."""
    data_dir, victim = open_dir / "data", open_dir / "victim"
    victim.write_text("untouched")
    async with EmbeddedServers(data_dir, postgres=False, durable=False):
        pass
    configuration = data_dir / "valkey" / "valkey.conf"
    configuration.unlink()
    configuration.symlink_to(victim)
    async with EmbeddedServers(data_dir, postgres=False, durable=False):
        pass
    assert victim.read_text() == "untouched"
    assert victim.stat().st_uid == 0


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


@as_root
@pytest.mark.parametrize("namespaces", [True, False])
async def test_a_user_without_a_name_needs_a_namespace_at_the_first_start(
    open_dir: Path, launch: Launch, ordinary_python: str, namespaces: bool
) -> None:
    os.chown(open_dir, NAMELESS, NAMELESS)
    become = ("setpriv", f"--reuid={NAMELESS}", f"--regid={NAMELESS}", "--clear-groups")
    inside = become if namespaces else (*NO_NAMESPACES, *become)
    bot = await launch(open_dir / "data", python=ordinary_python, inside=inside)
    report = await bot.report()
    if namespaces:
        assert report.error == ""
        assert {owner_of(pid) for pid in report.pids} == {NAMELESS}
        assert await database(report.database_url) == "punctual"
    else:
        assert report.error.endswith("start the bot as an ordinary user, or set DATABASE_URL.")


async def database(url: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("SELECT current_database()")
    finally:
        await connection.close()
