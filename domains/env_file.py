"""`.env`, as a file that people write: what cannot be read or understood there is said."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from domains import program
from domains.errors import WRONG_SETTING, StartupError

ENCODING = "utf-8-sig"
"""An editor may have put a byte order mark before the first name."""


def env_file() -> Path:
    return program.home() / ".env"


def bindings() -> list[Binding]:
    """What the file says, in its order; nothing if there is none. Raises StartupError, which shows
    nothing of a line: it may be a secret."""
    path = env_file()
    try:
        text = path.read_text(encoding=ENCODING)
    except FileNotFoundError:
        return []
    except UnicodeDecodeError:
        raise StartupError(f"{path} is not text in UTF-8", status=WRONG_SETTING) from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise StartupError(f"{path} cannot be read: {why}", status=WRONG_SETTING) from None
    return list(parse_stream(StringIO(text)))


def malformed(said: list[Binding]) -> Iterator[str]:
    """Lines that dotenv would pass over with a warning, or take for no value at all."""
    for binding in said:
        if binding.error or (binding.key is not None and binding.value is None):
            blank = binding.original.string
            line = binding.original.line + blank[: len(blank) - len(blank.lstrip())].count("\n")
            yield f"{env_file()}: line {line} is not NAME=value"


def exposed_env_file() -> Path | None:
    """The file, if it says anything and every user of the machine can read it."""
    path = env_file()
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    everybody = os.name == "posix" and bool(mode & stat.S_IROTH)
    return path if everybody and any(each.value for each in bindings()) else None
