"""What an IP address says of where somebody is."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

IPV6_PREFIX = 64
"""One subscriber has at least so many addresses, so they count as one."""


def is_loopback(host: str) -> bool:
    """Of this machine alone, as an address or as `localhost`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def subscriber(address: str) -> str | None:
    """Whom an address belongs to, as far as it tells; None if it is none."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if not isinstance(ip, IPv6Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ip_network((ip, IPV6_PREFIX), strict=False))
