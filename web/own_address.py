"""Whether an address can be listened on, and a plain sentence where it cannot."""

from __future__ import annotations

import errno
import os
import socket

from domains.errors import WRONG_SETTING, StartupError


def require_own_address(host: str, setting: str) -> None:
    """Raises StartupError if it is another machine's, or nobody's."""
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            with socket.socket(family, kind, protocol) as trial:
                trial.bind(address)
    except OSError as error:
        if _is_about_the_host(error):
            raise _not_ours(setting, host, error) from None


def cannot_listen(settings: str, host: str, port: int, error: OSError) -> StartupError:
    if _is_about_the_host(error):
        return _not_ours(f"{settings}_HOST", host, error)
    return StartupError(
        f"{settings}_PORT: cannot listen on {host}:{port}: {_reason(error)}",
        status=WRONG_SETTING if isinstance(error, PermissionError) else 1,
    )


def _not_ours(setting: str, host: str, error: OSError) -> StartupError:
    return StartupError(
        f"{setting}: {host} is not an address of this machine: {_reason(error)}",
        status=WRONG_SETTING,
    )


def _is_about_the_host(error: OSError) -> bool:
    """A name server that does not answer just now is another matter."""
    if isinstance(error, socket.gaierror):
        return error.errno != socket.EAI_AGAIN
    return error.errno in (errno.EADDRNOTAVAIL, errno.EINVAL, errno.EAFNOSUPPORT)


def _reason(error: OSError) -> str:
    """asyncio makes sentences of its own for `strerror`, with the address again."""
    if isinstance(error, socket.gaierror):
        return error.strerror or "unknown"
    return os.strerror(error.errno) if error.errno else str(error)
