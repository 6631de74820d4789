"""PgBouncer, pooling transactions, before a PostgreSQL that listens on a Unix socket."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.waiting import eventually

CONFIGURATION = """[databases]
* = host=127.0.0.1 port={relay} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {pool_size}
"""


@asynccontextmanager
async def pgbouncer(url: str, postgres_socket: str, *, pool_size: int) -> AsyncGenerator[str]:
    """Gives the URL that leads through it. It refuses to run as root, and as another user it does
    not reach the socket; so something listens in between."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program is not None, "PgBouncer is not installed"
    address, port = urlsplit(url), _free_port()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_unix_connection(postgres_socket)
        await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "pgbouncer.ini")
        file.write_text(  # noqa: ASYNC240  # a small file, in a test
            CONFIGURATION.format(
                relay=server.sockets[0].getsockname()[1],
                user=address.username,
                password=address.password,
                port=port,
                pool_size=pool_size,
            ),
            encoding="utf-8",
        )
        file.parent.chmod(0o755)
        user = ("-u", "nobody") if os.getuid() == 0 else ()
        process = await asyncio.create_subprocess_exec(
            program, "-q", *user, str(file), stderr=asyncio.subprocess.DEVNULL
        )
        try:
            await eventually(lambda: _listens(port))
            yield f"postgresql://{address.username}:any@127.0.0.1:{port}{address.path}"
        finally:
            process.kill()
            await process.wait()
            server.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
