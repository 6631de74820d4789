"""However a bot ends, nothing of its servers is left."""

import asyncio
import os
import signal
import subprocess
from pathlib import Path
from typing import IO

import asyncpg
import pytest

from embedded import EmbeddedServers
from embedded.binaries import valkey_binary
from embedded.locks import note, server_lock
from embedded.socket_dirs import new_socket_dir
from tests.embedded.bot_process import Report
from tests.embedded.conftest import Launch
from tests.embedded.observing import eventually, is_running, parent_of

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="looks at other processes through /proc"
)


async def test_a_stop_leaves_no_server_and_no_socket(data_dir: Path) -> None:
    async with EmbeddedServers(data_dir, durable=False) as servers:
        report = Report.of(servers)
        assert all(map(is_running, report.pids))
    assert not report.is_left_over


async def test_a_killed_bot_leaves_no_server_and_no_socket(data_dir: Path, launch: Launch) -> None:
    bot = await launch(data_dir)
    report = await bot.report()
    assert all(map(is_running, report.pids))

    await bot.kill()

    await eventually(lambda: not report.is_left_over)


async def test_the_next_bot_starts_while_the_servers_of_a_killed_one_still_stop(
    data_dir: Path, launch: Launch
) -> None:
    bot = await launch(data_dir)
    report = await bot.report()
    await bot.kill()

    async with EmbeddedServers(data_dir) as servers:
        assert not report.is_left_over
        await _connect_and_leave(servers.database_url)


async def test_a_bot_killed_in_its_very_first_start_can_start_again(
    tmp_path: Path, launch: Launch
) -> None:
    bot = await launch(tmp_path)
    await eventually((tmp_path / "postgres.new" / "PG_VERSION").exists)
    await bot.kill()

    async with EmbeddedServers(tmp_path, durable=False) as servers:
        assert not (tmp_path / "postgres.new").exists()
        await _connect_and_leave(servers.database_url)


async def test_a_half_made_cluster_is_made_anew(tmp_path: Path) -> None:
    draft = tmp_path / "postgres.new"
    (draft / "base").mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")

    async with EmbeddedServers(tmp_path, valkey=False, durable=False) as servers:
        assert not draft.exists()
        await _connect_and_leave(servers.database_url)


async def test_a_cancelled_start_leaves_nothing_running(tmp_path: Path) -> None:
    start = asyncio.create_task(EmbeddedServers(tmp_path, durable=False).start())
    await eventually((tmp_path / "postgres.new" / "PG_VERSION").exists)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start

    async with EmbeddedServers(tmp_path, durable=False):
        pass  # so the locks are free


async def test_ctrl_c_and_a_closed_terminal_reach_the_bot_alone(data_dir: Path) -> None:
    async with EmbeddedServers(data_dir, durable=False) as servers:
        for pid in (servers.postgres_pid, servers.valkey_pid):
            assert os.getsid(pid) != os.getsid(0)
            assert os.getsid(parent_of(pid)) != os.getsid(0)


async def test_a_supervisor_does_not_end_before_the_bot_when_a_signal_asks_it_to(
    data_dir: Path, launch: Launch
) -> None:
    bot = await launch(data_dir)
    report = await bot.report()
    for pid in report.pids:
        os.kill(parent_of(pid), signal.SIGTERM)
        os.kill(parent_of(pid), signal.SIGINT)

    await bot.kill()

    await eventually(lambda: not report.is_left_over)  # only a supervisor removes directories


async def test_servers_stop_when_their_supervisors_are_killed(data_dir: Path) -> None:
    async with EmbeddedServers(data_dir, durable=False) as servers:
        report = Report.of(servers)
        for pid in report.pids:
            os.kill(parent_of(pid), signal.SIGKILL)
        await eventually(lambda: not any(map(is_running, report.pids)))
    assert not report.is_left_over


async def test_what_killed_supervisors_of_a_killed_bot_left_is_removed_at_the_next_start(
    data_dir: Path, launch: Launch
) -> None:
    bot = await launch(data_dir)
    report = await bot.report()
    for pid in report.pids:
        os.kill(parent_of(pid), signal.SIGKILL)
    await bot.kill()

    async with EmbeddedServers(data_dir) as servers:
        assert not report.is_left_over
        await _connect_and_leave(servers.database_url)


async def test_a_server_that_nothing_stopped_is_stopped_at_the_next_start(data_dir: Path) -> None:
    socket_dir = new_socket_dir()
    async with server_lock(data_dir / "valkey.lock", signal.SIGTERM) as lock:
        orphan = _start_valkey_alone(socket_dir, lock)
    await eventually((socket_dir / "valkey.sock").exists)

    async with EmbeddedServers(data_dir, postgres=False, durable=False):
        assert orphan.wait(timeout=10) == 0
        assert not socket_dir.exists()


@pytest.mark.parametrize("name", ["postgres", "valkey"])
async def test_a_killed_server_can_be_restarted(data_dir: Path, name: str) -> None:
    async with EmbeddedServers(data_dir, durable=False) as servers:
        killed = servers.postgres_pid if name == "postgres" else servers.valkey_pid
        os.kill(killed, signal.SIGKILL)
        await eventually(lambda: not is_running(killed))
        if name == "postgres":
            await servers.restart_postgres()
        else:
            await servers.restart_valkey()
        await _connect_and_leave(servers.database_url)
        assert all(map(is_running, Report.of(servers).pids))


async def test_a_stale_pid_file_that_names_another_process_is_no_obstacle(data_dir: Path) -> None:
    """After a crash of the whole machine, ids are used again; PostgreSQL alone would refuse."""
    (data_dir / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{data_dir}\n")

    async with EmbeddedServers(data_dir, valkey=False, durable=False) as servers:
        await _connect_and_leave(servers.database_url)


def _start_valkey_alone(socket_dir: Path, lock: IO[str]) -> subprocess.Popen[bytes]:
    """As one whose supervisor was killed, where the system doesn't stop it by itself."""
    socket_dir.mkdir()
    valkey = subprocess.Popen(
        [valkey_binary(), "--port", "0", "--unixsocket", socket_dir / "valkey.sock"],
        stdout=subprocess.DEVNULL,
        cwd=socket_dir,
        pass_fds=(lock.fileno(),),
        start_new_session=True,
    )
    note(lock, valkey.pid, socket_dir)
    return valkey


async def _connect_and_leave(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.close()
