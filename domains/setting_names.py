"""Names that somebody mistyped: they would be passed over, and the default would hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from os.path import commonprefix

SIMILAR_IN_FILE = 0.85
SIMILAR_IN_ENVIRONMENT = 0.9
"""The file is ours, but the environment belongs to all programs of the machine."""


def misspelt(names: Iterable[str], known: Collection[str], similar: float) -> Iterator[str]:
    """A sentence for each that looks like a setting and is none. Case does not matter."""
    for name in dict.fromkeys(name.upper() for name in names):
        meant = None if name in known else _meant(name, known, similar)
        if meant is not None:
            yield f"{name}: there is no such setting; did you mean {meant}?"


def _meant(name: str, known: Collection[str], similar: float) -> str | None:
    slips = (each for each in known if _is_one_slip(name, each))
    close = get_close_matches(name, known, n=1, cutoff=similar)
    return next(slips, close[0] if close else None)


def _is_one_slip(one: str, other: str) -> bool:
    """A character too many, too few or wrong, or two neighbours swapped."""
    start = len(commonprefix([one, other]))  # noqa: RUF071  # they are no paths
    one, other = one[start:], other[start:]
    end = len(commonprefix([one[::-1], other[::-1]]))  # noqa: RUF071
    one, other = one[: len(one) - end], other[: len(other) - end]
    if len(one) <= 1 and len(other) <= 1:
        return True
    return len(one) == 2 and one == other[::-1]
