"""The bot's process in the demo: the unmodified bot, with its Discord at another address.

What it needs comes as one line on standard input, so that no command line and no environment shows
it. When that ends, the demo is gone, and so is this process, however the demo ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import Mapping
from typing import Any

import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot import serve
from domains.descriptor_limit import raise_descriptor_limit
from domains.errors import StartupError
from domains.logs import configure_logging, startup_failure
from domains.settings import Settings

STDIN = 0


def main() -> int:
    launch = read_line()
    threading.Thread(target=_end_with_the_demo, daemon=True).start()
    Route.BASE = launch["api_url"]
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(launch["gateway_url"])
    settings = Settings(**launch["settings"])
    configure_logging(settings.log_level, settings.log_format)
    raise_descriptor_limit()
    try:
        asyncio.run(serve(settings))
    except StartupError as error:
        print(startup_failure(error, settings.log_format), file=sys.stderr)  # noqa: T201
        return error.status
    return 0


def read_line() -> Mapping[str, Any]:
    """Not by `sys.stdin`, whose lock a thread that reads would keep until the end."""
    line = b""
    while not line.endswith(b"\n") and (piece := os.read(STDIN, 65536)):
        line += piece
    return json.loads(line)


def _end_with_the_demo() -> None:
    while os.read(STDIN, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
