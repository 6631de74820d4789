"""Where the sockets are: in /tmp, or where systemd made room for the service."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from embedded.socket_dirs import new_socket_dir, remove_if_socket_dir


@pytest.mark.parametrize(
    ("user", "runtime_directory", "parent"),
    [
        (1000, None, "/tmp"),
        (1000, "", "/tmp"),
        (1000, "/run/punctual", "/run/punctual"),
        (1000, "/run/punctual:/run/another", "/run/punctual"),
        (1000, "/run/" + "long" * 20, "/tmp"),
        (0, "/run/punctual", "/tmp"),
    ],
)
def test_systemd_may_make_room_for_an_ordinary_user(
    monkeypatch: pytest.MonkeyPatch, user: int, runtime_directory: str | None, parent: str
) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    if runtime_directory is not None:
        monkeypatch.setenv("RUNTIME_DIRECTORY", runtime_directory)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert new_socket_dir().parent == Path(parent)


def test_what_an_earlier_run_left_goes_wherever_it_was(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    in_tmp = new_socket_dir()
    room = tmp_path.rename(Path("/tmp", f"{in_tmp.name}-room"))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(room))
    in_room, foreign = new_socket_dir(), room / "another"
    for each in (in_tmp, in_room, foreign):
        each.mkdir()
        (each / "socket").touch()
        remove_if_socket_dir(each)
    assert not in_tmp.exists()
    assert [path.name for path in room.iterdir()] == ["another"]
    (foreign / "socket").unlink()
    foreign.rmdir()
    room.rmdir()
