"""Why something cannot be done to a ticket. Each text is the sentence the user reads."""

from __future__ import annotations

from domains.errors import UserError
from domains.ticket_lifecycle.models import CloseRequest, RequestStatus, Ticket, TicketStatus


class TicketNotFoundError(UserError):
    def __init__(self) -> None:
        super().__init__("This is not a ticket channel.")


class TicketNotOpenError(UserError):
    def __init__(self, ticket: Ticket) -> None:
        by = f" by <@{ticket.closed_by_id}>" if ticket.closed_by_id else ""
        state = "is being closed" if ticket.status is TicketStatus.CLOSING else "is closed"
        super().__init__(f"This ticket {state} already{by}.")


class TooManyTicketsError(UserError):
    def __init__(self, limit: int) -> None:
        noun = "ticket" if limit == 1 else "tickets"
        super().__init__(
            f"You have {limit} open {noun} here already; close one before you open another."
        )


class NoSubjectError(UserError):
    def __init__(self) -> None:
        super().__init__("Press the button again and write in a few words what it is about.")


class AlreadyOpeningError(UserError):
    def __init__(self) -> None:
        super().__init__("Your ticket is being opened already.")


class BusyError(UserError):
    def __init__(self) -> None:
        super().__init__("A lot of tickets are being opened just now. Try again in a moment.")


class InvalidDelayError(UserError):
    pass


class NotTheOpenerError(UserError):
    def __init__(self, what: str = "accept its closing") -> None:
        super().__init__(f"Only the member who opened this ticket can {what}.")


class NothingPendingError(UserError):
    def __init__(self) -> None:
        super().__init__("Nobody is asking to close this ticket at the moment.")


class RequestResolvedError(UserError):
    """Somebody, or the clock, was faster."""

    def __init__(self, request: CloseRequest) -> None:
        by = f" by <@{request.resolved_by_id}>" if request.resolved_by_id else ""
        super().__init__(f"This close request {_WHAT_HAPPENED[request.status]}{by}.")


_WHAT_HAPPENED = {
    RequestStatus.PENDING: "is still pending",
    RequestStatus.ACCEPTED: "was accepted already",
    RequestStatus.DENIED: "was denied already",
    RequestStatus.EXPIRED: "has run out and the ticket is being closed",
    RequestStatus.WITHDRAWN: "was withdrawn",
    RequestStatus.ANSWERED: "was answered: the opener wrote in the ticket",
    RequestStatus.SUPERSEDED: "was replaced by a newer one",
    RequestStatus.CLOSED: "is over: the ticket was closed",
}


class NoMoreTimeError(UserError):
    def __init__(self, most: int) -> None:
        times = "once" if most == 1 else f"{most} times"
        super().__init__(f"More time can be had only {times} for one close request.")


class ExtendedAlreadyError(UserError):
    """A second click on a button that showed the deadline before the first."""

    def __init__(self) -> None:
        super().__init__("The deadline was moved already.")


class TooFarError(UserError):
    def __init__(self) -> None:
        super().__init__("A deadline can be at most 30 days away.")


class NoTimerError(UserError):
    def __init__(self) -> None:
        super().__init__("This close request has no timer.")


class CannotAskError(UserError):
    def __init__(self, why: str) -> None:
        super().__init__(f"I could not ask the member: {why} Nothing was changed.")


class CannotOpenError(UserError):
    def __init__(self, why: str) -> None:
        super().__init__(f"I could not open a ticket: {why}")


class AlreadyExcludedError(UserError):
    def __init__(self) -> None:
        super().__init__("This ticket is excluded from auto-close already.")


class NotExcludedError(UserError):
    def __init__(self) -> None:
        super().__init__("This ticket is not excluded from auto-close.")
