"""One ticket, and what was done to it and its bot: the right side of the page, and the card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from demo.chaos import Struck
from demo.observer import TicketTruth, Truth
from demo.words import Words
from domains.ticket_lifecycle.models import RequestStatus, TicketStatus

ON_TIME = timedelta(seconds=1)
SETTLING = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Result:
    """How a timed close came out."""

    deadline: datetime
    late_ms: int
    """To the end."""
    decided_ms: int | None
    struck: Sequence[Struck]
    after_ms: int | None
    """From the moment that what it had to wait for was back; None if it was on time."""
    after: Struck | None


def focus(truth: Truth, channel_id: int | None, about: int | None) -> TicketTruth | None:
    """The ticket that is looked at; else the one that was; else the next to close by itself."""
    here = truth.of_channel(channel_id) if channel_id is not None else None
    if here is None and about is not None:
        here = truth.tickets.get(about)
    if here is not None:
        return here
    timed = [(due, each.ticket.id) for each in truth.tickets.values() if (due := deadline_of(each))]
    return truth.tickets[min(timed)[1]] if timed else None


def deadline_of(truth: TicketTruth | None) -> datetime | None:
    """When it closes by itself, as things stand."""
    if truth is None or truth.ticket.status is not TicketStatus.OPEN or truth.request is None:
        return None
    is_pending = truth.request.status is RequestStatus.PENDING
    return truth.request.auto_close_at if is_pending else None


def result_of(truth: TicketTruth, struck: Sequence[Struck]) -> Result | None:
    """None unless it was closed by its timer."""
    explanation, request = truth.explanation, truth.request
    if explanation is None or explanation.end_late_ms is None:
        return None
    if request is None or request.auto_close_at is None:
        return None
    deadline = request.auto_close_at
    end = deadline + timedelta(milliseconds=explanation.end_late_ms)
    meanwhile = [each for each in struck_at(truth, struck) if each.at <= end]
    late = timedelta(milliseconds=explanation.end_late_ms)
    after = _waited_for(deadline, meanwhile) if late > ON_TIME else None
    back = after.mended_at if after is not None else None
    return Result(
        deadline=deadline,
        late_ms=explanation.end_late_ms,
        decided_ms=explanation.late_ms,
        struck=meanwhile,
        after_ms=round((end - back).total_seconds() * 1000) if back and end >= back else None,
        after=after,
    )


def struck_at(truth: TicketTruth, struck: Sequence[Struck]) -> Sequence[Struck]:
    """Since somebody asked to close it, and until it was closed."""
    request, closed_at = truth.request, truth.ticket.closed_at
    if request is None:
        return ()
    return [
        each
        for each in struck
        if request.requested_at <= each.at and (closed_at is None or each.at <= closed_at)
    ]


def _waited_for(deadline: datetime, struck: Sequence[Struck]) -> Struck | None:
    """What came back last; a bot that has just connected still has to look around."""
    since = deadline - SETTLING
    away = [each for each in struck if each.mended_at is not None and each.mended_at > since]
    return max(away, key=lambda each: each.mended_at or deadline, default=None)


def what_was_done(struck: Sequence[Struck], words: Words) -> str:
    """`bot killed once, Redis flushed twice`; empty if nothing was."""
    counted = Counter(each.blow for each in struck)
    return ", ".join(words.count(f"struck.{blow}", number) for blow, number in counted.items())


def card_lines(ticket_name: str, result: Result, words: Words) -> Sequence[str]:
    """What the card says, the headline first."""
    done = what_was_done(result.struck, words)
    lines = [words("card.closed", late=words.lateness(result.late_ms))]
    if result.after_ms is not None and result.after is not None:
        what = words(f"card.back.{result.after.blow}")
        lines.append(words("card.after", late=words.lateness(result.after_ms), what=what))
    elif result.decided_ms is not None:
        lines.append(words("card.decided", late=words.lateness(result.decided_ms)))
    lines.append(words("card.meanwhile", what=done) if done else words("card.in_peace"))
    return [*lines, ticket_name]
