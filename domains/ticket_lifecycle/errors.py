"""Why something cannot be done to a ticket. Each text is what the one who asked reads."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from domains.errors import UserError
from domains.ticket_lifecycle.models import CloseRequest, RequestStatus, Ticket, TicketStatus
from locales import Text


class TicketNotFoundError(UserError):
    def __init__(self) -> None:
        super().__init__("errors.not_a_ticket")


class TicketNotOpenError(UserError):
    def __init__(self, ticket: Ticket) -> None:
        state = "closing" if ticket.status is TicketStatus.CLOSING else "closed"
        if ticket.closed_by_id:
            super().__init__(f"errors.{state}_by", by=f"<@{ticket.closed_by_id}>")
        else:
            super().__init__(f"errors.{state}")


class TooManyTicketsError(UserError):
    def __init__(self, limit: int) -> None:
        super().__init__("errors.too_many_tickets", count=limit)


class NoSubjectError(UserError):
    def __init__(self) -> None:
        super().__init__("errors.no_subject")


class AlreadyOpeningError(UserError):
    def __init__(self) -> None:
        super().__init__("errors.already_opening")


class BusyError(UserError):
    def __init__(self) -> None:
        super().__init__("errors.busy")


class InvalidDelayError(UserError):
    """A delay that cannot be understood, is too short or too long."""


class NotTheOpenerError(UserError):
    def __init__(self, what: Literal["accept", "more_time"] = "accept") -> None:
        super().__init__(f"errors.not_the_opener_{what}")


class NothingPendingError(UserError):
    def __init__(self) -> None:
        super().__init__("errors.nothing_pending")


class RequestResolvedError(UserError):
    """Somebody, or the clock, was faster."""

    def __init__(self, request: CloseRequest) -> None:
        key = f"errors.request_{request.status.value}"
        if request.resolved_by_id and request.status in _ANSWERED_BY_SOMEBODY:
            super().__init__(f"{key}_by", by=f"<@{request.resolved_by_id}>")
        else:
            super().__init__(key)


_ANSWERED_BY_SOMEBODY = {
    RequestStatus.ACCEPTED,
    RequestStatus.DENIED,
    RequestStatus.WITHDRAWN,
    RequestStatus.CLOSED,
}


class NoMoreTimeError(UserError):
    def __init__(self, most: int) -> None:
        super().__init__("errors.no_more_time", count=most)


class ExtendedAlreadyError(UserError):
    """A second click on a button that showed the deadline before the first."""

    def __init__(self) -> None:
        super().__init__("errors.extended_already")


class TooFarError(UserError):
    def __init__(self, most: timedelta) -> None:
        super().__init__("errors.too_far", most=most)


class NoTimerError(UserError):
    def __init__(self) -> None:
        super().__init__("errors.no_timer")


class CannotAskError(UserError):
    def __init__(self, why: Text) -> None:
        super().__init__("errors.cannot_ask", why=why)


class CannotOpenError(UserError):
    def __init__(self, why: Text, *, key: str = "errors.cannot_open") -> None:
        super().__init__(key, why=why)


class AlreadyExcludedError(UserError):
    def __init__(self) -> None:
        super().__init__("errors.already_excluded")


class NotExcludedError(UserError):
    def __init__(self) -> None:
        super().__init__("errors.not_excluded")
