"""How the demo starts and ends, and what it leaves: nothing."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path

import pytest

from demo import run_demo
from domains.errors import StartupError
from domains.settings import Settings
from tests.demo.demo_process import DemoProcess, running_demo
from tests.waiting import eventually

WAIT_TIMEOUT_S = 60.0

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/cwd").exists(), reason="looks at other processes through /proc"
)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


async def nothing_runs(demo: DemoProcess) -> None:
    await eventually(lambda: not demo.processes(), WAIT_TIMEOUT_S)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_nothing_is_left(data_dir: Path, number: int) -> None:
    with running_demo(data_dir) as demo:
        demo.url()
        assert len(demo.processes()) > 2
        demo.signal(number)
        said, log = demo.end()
        assert demo.status == 0, log
        assert said == ""
        assert "Traceback" not in log
        assert not demo.processes()
    assert [path.name for path in data_dir.iterdir()] == ["demo"]
    assert not list((data_dir / "demo").iterdir())


async def test_a_signal_during_the_start_ends_it_too(data_dir: Path) -> None:
    with running_demo(data_dir) as demo:
        await eventually(lambda: any((data_dir / "demo").glob("*/postgres.new")), WAIT_TIMEOUT_S)
        demo.signal(signal.SIGTERM)
        said, log = demo.end()
        assert demo.status == 0, log
        assert said == ""
        await nothing_runs(demo)
    assert not list((data_dir / "demo").iterdir())


async def test_a_killed_demo_leaves_no_server_and_the_next_one_no_data_of_it(
    data_dir: Path,
) -> None:
    with running_demo(data_dir) as demo:
        demo.url()
        demo.signal(signal.SIGKILL)
        demo.end()
        await nothing_runs(demo)
    [left] = (data_dir / "demo").iterdir()

    with running_demo(data_dir) as demo:
        demo.url()
        assert not left.exists()
        assert len(list((data_dir / "demo").iterdir())) == 1


def test_the_port_can_be_chosen_and_if_it_is_taken_another_serves(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    with running_demo(data_dir, DEMO_PORT=port) as first:
        chosen = first.url()
        assert chosen.startswith(f"http://127.0.0.1:{port}/?key=")
        with running_demo(data_dir, DEMO_PORT=port) as second:
            assert f":{port}/" not in second.url()
            assert first.status is None


def test_a_wrong_port_is_named_in_one_line(data_dir: Path) -> None:
    with running_demo(data_dir, DEMO_PORT="99999") as demo:
        said, log = demo.end()
        assert (said, log) == ("", "punctual: DEMO_PORT: must be a number up to 65535\n")
        assert demo.status == 2


async def test_missing_packages_are_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    monkeypatch.setitem(sys.modules, "simcord", None)  # as if it were not installed
    with pytest.raises(StartupError, match=r"pip install -r requirements-demo\.txt"):
        await run_demo(Settings(data_dir=data_dir), browser=False)
