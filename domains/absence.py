"""Telling what is away from what has failed. An absence costs no attempt."""

from __future__ import annotations

import errno
from datetime import timedelta

from domains.database import DatabaseUnavailable
from domains.retry_policy import AWAY_RETRY

_OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)


class AwayError(Exception):
    """What is needed is away: it comes again soon, and loses no attempt."""

    retry_after = AWAY_RETRY


def retry_after(error: BaseException) -> timedelta:
    """When to try again what an absence has kept from being done."""
    return error.retry_after if isinstance(error, AwayError) else AWAY_RETRY


def means_away(error: BaseException) -> bool:
    """Looked for in the causes too: a full table of descriptors comes as many an error."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (AwayError, *DatabaseUnavailable)):
            return True
        if isinstance(cause, OSError) and cause.errno in _OUT_OF_DESCRIPTORS:
            return True
        cause = cause.__cause__
    return False
