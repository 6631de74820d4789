"""The simple model that tickets are held against: what is allowed, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from domains.ticket_lifecycle.models import Ticket

MAX_EXTENSIONS = 3


@dataclass
class Expected:
    """One ticket, as it ought to be."""

    ticket: Ticket
    status: str = "open"
    excluded: bool = False
    requests: list[str] = field(default_factory=list[str])
    """Their statuses, in order."""
    timed: bool = False
    extensions: int = 0
    unseen_reply: bool = False
    """The opener has written since the last request, and the gateway has not told."""

    # --- what is allowed

    @property
    def is_open(self) -> bool:
        return self.status == "open"

    @property
    def pending(self) -> bool:
        return self.is_open and self.requests[-1:] == ["pending"]

    @property
    def may_run_out(self) -> bool:
        return self.pending and self.timed

    @property
    def may_be_extended(self) -> bool:
        return self.may_run_out and self.extensions < MAX_EXTENSIONS

    @property
    def may_be_excluded(self) -> bool:
        return self.is_open and not self.excluded

    @property
    def may_be_included(self) -> bool:
        return self.is_open and self.excluded

    @property
    def may_be_decided(self) -> bool:
        return self.pending and not self.excluded

    # --- what comes of it

    def ask(self, *, timed: bool) -> None:
        if self.pending:
            self.resolve("superseded")
        self.requests.append("pending")
        self.timed, self.extensions, self.unseen_reply = timed, 0, False

    def resolve(self, status: str) -> None:
        self.requests[-1] = status

    def close(self) -> None:
        if self.pending:
            self.resolve("closed")
        self.status = "closed"

    def run_out(self) -> None:
        if self.excluded:
            return
        if self.unseen_reply:
            self.resolve("answered")
        else:
            self.resolve("expired")
            self.status = "closed"
