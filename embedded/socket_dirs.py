"""Directories for the servers' sockets.

In /tmp, whatever TMPDIR says and wherever the data is: a socket's path may have 107 bytes at most.
"""

import secrets
from pathlib import Path

from embedded.supervisor import remove_socket_dir

_PARENT = Path("/tmp")  # noqa: S108  # the names are random, and mkdir refuses what exists
_PREFIX = "punctual-"


def new_socket_dir() -> Path:
    """A name nobody can guess; the directory isn't there yet."""
    return _PARENT / f"{_PREFIX}{secrets.token_hex(8)}"


def remove_if_socket_dir(path: Path) -> None:
    if path.parent == _PARENT and path.name.startswith(_PREFIX):
        remove_socket_dir(str(path))
