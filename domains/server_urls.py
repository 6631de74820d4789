"""Addresses that an operator writes, understood before anything is contacted.

Every error is a ValueError whose text says what is wrong and shows nothing of the address: what
was split in the wrong place may be a part of the password.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

UNREADABLE_URL = (
    "it is not a URL that can be understood; in a password, the characters / ? # @ : have to be "
    "percent-encoded"
)
LONGEST_SOCKET_PATH = 107
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")

Option = Callable[[str], object]


def require_host(host: str) -> None:
    """An IP address without brackets, or a name."""
    if "://" in host or "/" in host:
        raise ValueError("must be a host alone, not a URL")
    address = host.partition("%")[0]
    try:
        ip_address(address)
    except ValueError:
        pass
    else:
        return
    if ":" in host or "[" in host:
        raise ValueError("must be a host alone, without a port and without brackets")
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)) or labels[-1].isdigit():
        raise ValueError("must be a name or an IP address")


def require_postgresql_url(url: str) -> None:
    parts = _split(url, "postgresql", "postgres")
    if parts.netloc.count("@") > 1:  # asyncpg would take the first for the end of the password
        raise ValueError(UNREADABLE_URL)
    hosts = parts.netloc.rpartition("@")[2]
    for each in hosts.split(",") if hosts else ():
        _require_host_and_port(each)
    if "/" in parts.path[1:]:
        raise ValueError(UNREADABLE_URL)
    # What is neither here nor similar is a parameter for the server, which knows hundreds.
    _require_options(parts, _POSTGRESQL, others=True)


def require_redis_url(url: str) -> None:
    parts = _split(url, "redis", "rediss", "unix")
    options = {**_REDIS, **(_TLS if parts.scheme == "rediss" else {})}
    _require_options(parts, options, others=False)
    if parts.scheme == "unix":
        if parts.netloc.rpartition("@")[2] or not parts.path.strip("/"):
            raise ValueError("must name a socket, like unix:///path/to/socket")
        if len(unquote(parts.path).encode()) > LONGEST_SOCKET_PATH:
            raise ValueError(f"a socket's path has at most {LONGEST_SOCKET_PATH} bytes")
        return
    _require_host_and_port(parts.netloc.rpartition("@")[2])
    database = parts.path.strip("/")
    if database and not _is_whole(unquote(database)):
        raise ValueError("the database, after the host, is a number such as 0")


def _split(url: str, *schemes: str) -> SplitResult:
    beginnings = [f"{scheme}://" for scheme in schemes]
    if not url.lower().startswith(tuple(beginnings)):
        raise ValueError(f"must begin with {' or '.join(beginnings)}")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(UNREADABLE_URL) from None
    credentials_end_later = "@" in parts.path and parts.scheme != "unix"
    credentials_end_later |= "@" in parts.query and bool(parts.netloc) and "@" not in parts.netloc
    if "#" in url or credentials_end_later:
        raise ValueError(UNREADABLE_URL)
    if any("\0" in unquote(part) for part in parts):
        raise ValueError("contains a zero byte")
    return parts


def _require_host_and_port(text: str) -> None:
    bracketed = re.fullmatch(r"\[([^\[\]]+)\](?::(.*))?", text)
    if bracketed is not None:
        host, port = bracketed[1], bracketed[2]
        try:
            IPv6Address(host.partition("%")[0])
        except ValueError:
            raise ValueError(UNREADABLE_URL) from None
    else:
        host, colon, after = text.partition(":")
        port = after if colon else None
        host = unquote(host)
        if not host:
            raise ValueError("names no host")
        if not host.startswith("/"):
            try:
                require_host(host)
            except ValueError:
                raise ValueError(UNREADABLE_URL) from None
    if port is not None:
        _port(port)


# --- options after the question mark


def _require_options(parts: SplitResult, known: Mapping[str, Option], *, others: bool) -> None:
    try:
        options = parse_qsl(
            parts.query, keep_blank_values=True, strict_parsing=bool(parts.query), errors="strict"
        )
    except ValueError:
        raise ValueError("the options after the ? are written as name=value&name=value") from None
    for name, value in options:
        if name in known:
            try:
                known[name](value)
            except ValueError as error:
                raise ValueError(f"the option {name} {error}") from None
            continue
        if others and name in _NOT_IN_ASYNCPG:
            raise ValueError(f"has the option {name}, which is not supported")
        similar = get_close_matches(name, known, n=1, cutoff=0.8)
        if similar:
            raise ValueError(f"there is no such option; did you mean {similar[0]}?")
        if not others or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)?", name):
            raise ValueError("has an option that is not known")


def _is_whole(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,9}", text) is not None


def _text(_: str) -> None: ...


def _port(text: str) -> None:
    if not _is_whole(text) or not 1 <= int(text) <= 65535:
        raise ValueError("has a port that is not a number from 1 to 65535")


def _ports(text: str) -> None:
    for each in text.split(","):
        _port(each)


def _hosts(text: str) -> None:
    for each in text.split(","):
        if each.startswith("/"):
            continue
        try:
            require_host(each.partition(":")[0] if each.count(":") == 1 else each.strip("[]"))
        except ValueError:
            raise ValueError("is neither a host nor the directory of a socket") from None


def _whole(text: str) -> None:
    if not _is_whole(text):
        raise ValueError("is not a whole number")


def _positive(text: str) -> None:
    if not _is_whole(text) or int(text) == 0:
        raise ValueError("is not a number from 1 on")


def _seconds(text: str) -> None:
    try:
        if 0 < float(text) < math.inf:
            return
    except ValueError:
        pass
    raise ValueError("is not a number of seconds")


def _file(text: str) -> None:
    """An absolute one: nobody knows what a relative one would be relative to."""
    path = Path(text)
    try:
        if path.is_absolute() and path.is_file():
            return
    except OSError:
        pass
    raise ValueError("is not the absolute path of a file")


def _certificates(text: str) -> None:
    if text != "system":
        _file(text)


def _directory(text: str) -> None:
    if not Path(text).is_dir():
        raise ValueError("is not a directory")


def _one_of(*choices: str) -> Option:
    def check(text: str) -> None:
        if text not in choices:
            raise ValueError(f"is not one of {', '.join(choices)}")

    return check


def _boolean(text: str) -> None:
    if text.lower() not in ("0", "1", "false", "true", "no", "yes"):
        raise ValueError("is neither true nor false")


_POSTGRESQL: Mapping[str, Option] = {
    "host": _hosts,
    "port": _ports,
    "user": _text,
    "password": _text,
    "dbname": _text,
    "database": _text,
    "passfile": _file,
    "sslmode": _one_of("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": _one_of("postgres", "direct"),
    "sslcert": _file,
    "sslkey": _file,
    "sslrootcert": _certificates,
    "sslcrl": _file,
    "sslpassword": _text,
    "ssl_min_protocol_version": _one_of("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
    "ssl_max_protocol_version": _one_of("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
    "target_session_attrs": _one_of(
        "any", "primary", "standby", "read-write", "read-only", "prefer-standby"
    ),
    "krbsrvname": _text,
    "gsslib": _one_of("gssapi", "sspi"),
    "application_name": _text,
    "options": _text,
    "service": _text,
}
_NOT_IN_ASYNCPG = {
    "channel_binding",
    "connect_timeout",
    "gssencmode",
    "hostaddr",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "load_balance_hosts",
    "requirepeer",
    "require_auth",
    "sslcompression",
    "sslsni",
    "tcp_user_timeout",
}
"""libpq takes them, but here they would go to the server, which refuses them."""
_REDIS: Mapping[str, Option] = {
    "db": _whole,
    "username": _text,
    "password": _text,
    "client_name": _text,
    "protocol": _one_of("2", "3"),
    "socket_timeout": _seconds,
    "socket_connect_timeout": _seconds,
    "socket_keepalive": _boolean,
    "health_check_interval": _whole,
    "max_connections": _positive,
}
_TLS: Mapping[str, Option] = {
    "ssl_cert_reqs": _one_of("none", "optional", "required"),
    "ssl_ca_certs": _file,
    "ssl_ca_path": _directory,
    "ssl_certfile": _file,
    "ssl_keyfile": _file,
    "ssl_check_hostname": _boolean,
}
