"""What an examination finds, and how bad that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from locales import Text


class Severity(IntEnum):
    """The worst first."""

    BROKEN = 0
    """Tickets cannot be opened, answered or closed as long as it is so."""
    IMPAIRED = 1
    NOTE = 2
    """Nothing is wrong, but somebody may want to know."""
    FINE = 3


@dataclass(frozen=True, slots=True)
class Finding:
    severity: Severity
    what: Text
    remedy: Text | None = None

    @property
    def is_ill(self) -> bool:
        return self.severity <= Severity.IMPAIRED


def broken(what: Text, remedy: Text) -> Finding:
    return Finding(Severity.BROKEN, what, remedy)


def impaired(what: Text, remedy: Text) -> Finding:
    return Finding(Severity.IMPAIRED, what, remedy)


def note(what: Text) -> Finding:
    return Finding(Severity.NOTE, what)


def fine(what: Text) -> Finding:
    return Finding(Severity.FINE, what)


def of_severity(findings: Sequence[Finding], severity: Severity) -> Sequence[Finding]:
    return [finding for finding in findings if finding.severity is severity]
