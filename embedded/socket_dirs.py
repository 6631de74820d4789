"""Directories for the servers' sockets.

In the RuntimeDirectory= that systemd has made, so that the operator's commands find them though
the service has a /tmp of its own; else in /tmp, whatever TMPDIR says and wherever the data is: a
socket's path may have 107 bytes at most.
"""

import os
import secrets
from pathlib import Path

from embedded.supervisor import remove_socket_dir

_TMP = Path("/tmp")  # noqa: S108  # the names are random, and mkdir refuses what exists
_PREFIX = "punctual-"
_LONGEST_PARENT = 60


def new_socket_dir() -> Path:
    """A name nobody can guess; the directory isn't there yet."""
    return _parent() / f"{_PREFIX}{secrets.token_hex(8)}"


def remove_if_socket_dir(path: Path) -> None:
    if path.parent in (_TMP, _parent()) and path.name.startswith(_PREFIX):
        remove_socket_dir(str(path))


def _parent() -> Path:
    runtime_directory = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    short = 0 < len(os.fsencode(runtime_directory)) <= _LONGEST_PARENT
    # Root's servers run as another user, who may not write there.
    return Path(runtime_directory) if short and os.geteuid() != 0 else _TMP
