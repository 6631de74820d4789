"""A fresh folder for each run: a virtual Discord starts empty, so tickets of an earlier run would
refer to channels that don't exist."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from domains.data_dir import unusable
from embedded import EmbeddedServersError
from embedded.locks import only_bot

NAME = "demo"


@contextmanager
def fresh_folder(data_dir: Path) -> Generator[Path]:
    """A name below `data_dir/demo`, apart from a real installation's data; removed at the end."""
    parent = data_dir / NAME
    try:
        for directory in (data_dir, parent):  # which PostgreSQL passes as another user
            directory.mkdir(mode=0o711, parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(data_dir, error) from error
    _remove_leftovers(parent)
    folder = parent / secrets.token_hex(4)  # the bot makes it
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_leftovers(parent: Path) -> None:
    """Those of demos that were killed. A demo that runs holds the lock of its folder."""
    for folder in parent.iterdir():
        try:
            with only_bot(folder):
                shutil.rmtree(folder, ignore_errors=True)
        except (EmbeddedServersError, OSError):
            continue
