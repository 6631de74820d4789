"""Queues, workers and inspection are built on SAQ's internals, so only one version will do."""

from __future__ import annotations

import saq

from domains.errors import StartupError

REQUIRED_SAQ = "0.26.4"


def require_saq() -> None:
    """Raises StartupError if another version of SAQ was imported."""
    if saq.__version__ != REQUIRED_SAQ:
        raise StartupError(
            f"SAQ {saq.__version__} is installed, but Punctual needs {REQUIRED_SAQ}: "
            f"pip install 'saq[redis,web]=={REQUIRED_SAQ}'"
        )
