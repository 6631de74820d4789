"""Runs a bot script, unmodified, against the stand-in: `python launch.py bot.py --its --arguments`.

Points discord.py at WIRE_DISCORD_API and WIRE_DISCORD_GATEWAY; everything else is as in
`python bot.py`. WIRE_DISCORD_READY_SECONDS shortens discord.py's two seconds of waiting for more
guilds before on_ready, for tests that start a bot hundreds of times.
"""

import functools
import os
import runpy
import sys
from pathlib import Path


def point_discord_py_at_the_stand_in() -> None:
    import discord.gateway
    import discord.http
    import yarl

    discord.http.Route.BASE = os.environ["WIRE_DISCORD_API"]
    gateway = yarl.URL(os.environ["WIRE_DISCORD_GATEWAY"])
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = gateway
    if (seconds := os.environ.get("WIRE_DISCORD_READY_SECONDS")) is not None:
        _shorten_guild_wait(float(seconds))


def _shorten_guild_wait(seconds: float) -> None:
    """Another default for an option of discord.Client; a bot that sets it has its way."""
    from discord.state import ConnectionState

    initialize = functools.partialmethod(ConnectionState.__init__, guild_ready_timeout=seconds)
    setattr(ConnectionState, "__init__", initialize)  # noqa: B010  a class's own __init__


def main() -> None:
    script = sys.argv[1]
    sys.argv = sys.argv[1:]
    # As Python itself does for a script; this file's own directory must not be searched.
    sys.path[0] = str(Path(script).resolve().parent)
    point_discord_py_at_the_stand_in()
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main()
