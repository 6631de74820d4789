"""PostgreSQL reads only the files of its own major version: said before it is started in vain."""

import asyncio
import re
from pathlib import Path

from embedded.errors import EmbeddedServersError

_MAJOR = re.compile(rb"\(PostgreSQL\) (\d+)")


async def require_same_major(directory: Path, binary: Path) -> None:
    """Raises EmbeddedServersError if the data is of another one."""
    data = (directory / "PG_VERSION").read_text(encoding="utf-8", errors="replace").strip()
    installed = await _major_of(binary)
    if data != installed:
        raise EmbeddedServersError(
            f"The data in {directory} is of PostgreSQL {data}, and PostgreSQL {installed} is "
            "installed, which cannot read it: dump and restore it as docs/operations.md says "
            'under "PostgreSQL\'s major versions".'
        )


async def _major_of(binary: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        binary, "--version", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    found = _MAJOR.search(out)
    if found is None:
        raise EmbeddedServersError(f"{binary} does not say which version it is.")
    return found[1].decode("ascii")
