"""Files that only their owner may read: passwords, logs, locks."""

import os
import re
import secrets
from pathlib import Path
from typing import IO

from embedded.errors import EmbeddedServersError

_WORD = re.compile(r"[!-~]+")
_LARGE_BYTES = 5_000_000


def open_private(path: Path, mode: str) -> IO[str]:
    return open(path, mode, encoding="utf-8", opener=_owner_only)


def write_anew(path: Path, text: str, uid: int, gid: int) -> None:
    """For another user, in a directory that is theirs: no link of theirs is followed."""
    path.unlink(missing_ok=True)
    with open(path, "x", encoding="utf-8", opener=_owner_only) as file:
        file.write(text)
        os.chown(file.fileno(), uid, gid)


def kept_password(path: Path) -> str:
    """The password in this file; at the first start a random one, written whole or not at all."""
    if not path.exists():
        draft = path.with_name(path.name + ".new")
        with open_private(draft, "w") as file:
            file.write(secrets.token_hex(24))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    password = path.read_text(encoding="utf-8", errors="replace").strip()
    if not _WORD.fullmatch(password):
        raise EmbeddedServersError(f"{path} is damaged: put back the one that belongs to the data.")
    return password


def rotate_if_large(log: Path) -> None:
    """Keep one older log, so that years of restarts don't fill the disk."""
    if log.exists() and log.stat().st_size > _LARGE_BYTES:
        log.replace(log.with_name(log.name + ".1"))


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
