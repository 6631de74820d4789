"""Many systems start a program with 1,024 file descriptors, and let it ask for more."""

from __future__ import annotations

from contextlib import suppress

try:
    import resource
except ImportError:  # Windows, which knows no such limit
    resource = None

ENOUGH = 65_536


def raise_descriptor_limit() -> None:
    """For this process and those that it starts; never lowers it."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(ENOUGH, hard)
    if soft not in (resource.RLIM_INFINITY, -1) and soft < wanted:
        with suppress(ValueError, OSError):  # macOS has a lower limit than the one it tells
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
