"""DATA_DIR: where it is, and whether anything can be kept there."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from tempfile import TemporaryFile

from domains import program
from domains.errors import WRONG_SETTING, StartupError

LONGEST_NAME = 255
LONGEST_PATH = 3_000
"""The kernel's limit is 4,096 bytes, and what is kept below has names of its own."""
_FULL = (errno.ENOSPC, errno.EDQUOT)


def absolute(path: Path) -> Path:
    """As somebody writes it in `.env`, where no shell reads it. Raises ValueError."""
    text = str(path)
    if text.startswith(("$", "%")) or ":/" in text:
        raise ValueError("is taken as it is written, and must be the path of a directory")
    try:
        path = Path(os.path.abspath(program.home() / path.expanduser()))  # noqa: PTH100  # no resolve
    except RuntimeError:
        raise ValueError("the user after the ~ has no home directory") from None
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise ValueError(f"has more than {LONGEST_PATH} bytes")
    if any(len(os.fsencode(part)) > LONGEST_NAME for part in path.parts):
        raise ValueError(f"has a name of more than {LONGEST_NAME} bytes")
    return path


def require_data_dir(path: Path, *, make: bool = True) -> None:
    """See whether it can be written to; `make` it if need be. A full disk is no reason: it passes.

    Raises StartupError.
    """
    try:
        if make:
            # As root others have to pass it: the embedded servers are other users then.
            path.mkdir(mode=0o711 if _is_root() else 0o700, parents=True, exist_ok=True)
        else:
            path = _nearest(path)
        with TemporaryFile(dir=path):
            pass
    except OSError as error:
        if error.errno not in _FULL:
            raise unusable(path, error) from None


def _nearest(path: Path) -> Path:
    """Itself if it is there, else where it would be made."""
    return next(each for each in (path, *path.parents) if os.path.lexists(each))


def unusable(path: Path, error: OSError) -> StartupError:
    why = "it is not a directory" if isinstance(error, FileExistsError) else error.strerror
    return StartupError(
        f"DATA_DIR: {path} cannot be used: {why or type(error).__name__}", status=WRONG_SETTING
    )


def _is_root() -> bool:
    return os.name == "posix" and os.geteuid() == 0
