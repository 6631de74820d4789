"""How many files a process may have open, set from outside."""

from __future__ import annotations

import resource
from collections.abc import Generator
from contextlib import contextmanager

STANDARD_STREAMS = 3


@contextmanager
def no_new_descriptors(pid: int) -> Generator[None]:
    """What the process has open stays open; whatever else it opens fails with EMFILE."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (STANDARD_STREAMS, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


def limit_descriptors(pid: int, count: int) -> None:
    """The hard limit too, so that the process cannot raise it."""
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (count, count))


def descriptor_limits(pid: int) -> tuple[int, int]:
    """The soft one, and the hard one."""
    return resource.prlimit(pid, resource.RLIMIT_NOFILE)


@contextmanager
def soft_limit_for_children(count: int) -> Generator[None]:
    """What is started meanwhile begins with so few, and may raise it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
