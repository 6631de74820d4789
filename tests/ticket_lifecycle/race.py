"""All who can end a close request, at the same instant; and what must hold whoever wins."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from domains.errors import UserError
from domains.ticket_lifecycle.errors import RequestResolvedError, TicketNotOpenError
from domains.ticket_lifecycle.models import (
    AutoCloseOutcome,
    CloseCause,
    CloseRequest,
    RequestStatus,
    Ticket,
    TicketStatus,
)
from tests.ticket_lifecycle.helpdesk import STAFF_ID, HelpDesk
from tests.waiting import eventually

T = TypeVar("T")

RESOLVED = {"accepted", "denied", "withdrawn", "expired", "answered"}
LONGEST_DELAY_S = 0.004
HEAD_STARTS_S = (0, 0.02, 0, None)
"""None: until the first one is done."""


class Contender(StrEnum):
    ACCEPT = "accept"
    DENY = "deny"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    CLOSE = "/close"
    REPLY = "reply"
    EXCLUDE = "exclude"
    RESUME = "resume"
    """Another process that takes up what looks half done. It never wins, nor loses."""


ONE_PROCESS = tuple(c for c in Contender if c is not Contender.RESUME)


@dataclass(frozen=True, slots=True)
class Finish:
    contender: Contender
    outcome: object
    """What was returned, or the UserError."""

    @property
    def refused(self) -> bool:
        return isinstance(self.outcome, UserError)


class Race:
    """`desks` are the processes; each contender runs in one of them, chosen at random."""

    def __init__(
        self, desks: Sequence[HelpDesk], contenders: Sequence[Contender], seed: int
    ) -> None:
        self._desks = desks
        self._desk = desks[0]
        self._contenders = contenders
        self._random = random.Random(seed)
        self.wins: set[RequestStatus] = set()
        """How the races ended: a test that only one contender ever wins would be none."""
        self._desk.interruptions.always = self._dawdle

    async def run(self, rounds: int, at_once: int = 10) -> None:
        """Several tickets race side by side, which shakes them up the more."""
        for first in range(0, rounds, at_once):
            numbers = range(first, min(first + at_once, rounds))
            await _all(self._round(number) for number in numbers)

    async def _dawdle(self) -> None:
        await asyncio.sleep(self._random.choice((0, 0, LONGEST_DELAY_S * self._random.random())))

    async def _round(self, number: int) -> None:
        ticket = await self._desk.open(opener_id=1_000 + number)
        request = await self._desk.run_out(await self._desk.ask(ticket))
        lined_up, head_start_s = self._line_up(number)
        first = asyncio.create_task(self._start(lined_up[0], ticket, request))
        finishes = await _all(
            (first, *(self._follow(first, head_start_s, c, ticket, request) for c in lined_up[1:]))
        )
        await self._check(ticket, request, finishes)

    def _line_up(self, number: int) -> tuple[list[Contender], float | None]:
        """Who runs, and how long the others wait for the first one. Some need longer to decide
        than others, so each is first in turn, and the others come with it, soon after, or late."""
        turn, place = divmod(number, len(self._contenders))
        first = self._contenders[place]
        others = [contender for contender in self._contenders if contender is not first]
        self._random.shuffle(others)
        if self._random.random() < 0.5:
            others = others[: self._random.randint(1, len(others))]
        return [first, *others], HEAD_STARTS_S[turn % len(HEAD_STARTS_S)]

    async def _follow(
        self,
        first: asyncio.Task[Finish],
        head_start_s: float | None,
        contender: Contender,
        ticket: Ticket,
        request: CloseRequest,
    ) -> Finish:
        await asyncio.wait({first}, timeout=head_start_s)
        return await self._start(contender, ticket, request)

    async def _start(self, contender: Contender, ticket: Ticket, request: CloseRequest) -> Finish:
        desk = self._random.choice(self._desks)
        await self._dawdle()
        try:
            return Finish(contender, await _act(desk, contender, ticket, request))
        except UserError as error:
            return Finish(contender, error)

    async def _check(
        self, before: Ticket, request: CloseRequest, finishes: Sequence[Finish]
    ) -> None:
        # Another round's resumption may be at it still.
        await eventually(lambda: self._is_settled(before.id))
        ticket, request = await self._desk.ticket(before.id), await self._desk.request(request.id)
        events = await self._desk.events(ticket)
        summary = f"{request.status}, {ticket.status}, {events}, {finishes}"
        self.wins.add(request.status)
        for finish in finishes:
            _check_finish(finish, ticket, request, summary)
        _check_someone_won(finishes, request, summary)
        _check_events(ticket, request, events, summary)
        await self._check_traces(ticket, request, summary)

    async def _is_settled(self, ticket_id: int) -> bool:
        return (await self._desk.ticket(ticket_id)).status is not TicketStatus.CLOSING

    async def _check_traces(self, ticket: Ticket, request: CloseRequest, summary: str) -> None:
        """What the world has seen of it."""
        channels = self._desk.channels
        times = 1 if ticket.status is TicketStatus.CLOSED else 0
        assert [id_ for id_, _ in channels.logged].count(ticket.id) == times, summary
        assert channels.dms.count(ticket.id) == times, summary
        assert channels.removed.count(ticket.id) == times, summary
        assert (ticket.channel_id in channels.channels) == (times == 0), summary
        assert self._desk.transcripts_of(ticket) == [str(ticket.id)] * times, summary
        assert self._desk.shown_outcomes(request) <= {request.status.value} - {"pending"}, summary
        if request.status is not RequestStatus.PENDING or ticket.exclude_from_autoclose:
            assert not await self._desk.has_timer(request), summary


async def _all(runs: Iterable[Awaitable[T]]) -> list[T]:
    """All of them to their end, even if one fails: nothing may run on into the next test."""
    results = await asyncio.gather(*runs, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]


async def _act(  # noqa: PLR0911  # a table
    desk: HelpDesk, contender: Contender, ticket: Ticket, request: CloseRequest
) -> object:
    lifecycle, opener_id = desk.lifecycle, ticket.opener_id
    match contender:
        case Contender.ACCEPT:
            return await lifecycle.accept_close_request(ticket.id, opener_id, request.id)
        case Contender.DENY:
            return await lifecycle.cancel_close_request(ticket.id, opener_id, request.id)
        case Contender.WITHDRAW:
            return await lifecycle.cancel_close_request(ticket.id, STAFF_ID, request.id)
        case Contender.EXPIRE:
            return await desk.fire(request)
        case Contender.CLOSE:
            return await lifecycle.close_ticket(ticket.id, STAFF_ID)
        case Contender.REPLY:
            stands = ticket.channel_id in desk.channels.channels
            return stands and await desk.write_and_note(ticket, opener_id)
        case Contender.EXCLUDE:
            return await lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
        case Contender.RESUME:
            return await desk.deliver()


EXPIRED = {
    AutoCloseOutcome.CLOSED,
    AutoCloseOutcome.CLOSING,
    AutoCloseOutcome.NOT_PENDING,
    AutoCloseOutcome.ALREADY_CLOSED,
}
WINS = {
    Contender.ACCEPT: RequestStatus.ACCEPTED,
    Contender.DENY: RequestStatus.DENIED,
    Contender.WITHDRAW: RequestStatus.WITHDRAWN,
}


def _check_finish(finish: Finish, ticket: Ticket, request: CloseRequest, summary: str) -> None:
    """Each was told what really happened."""
    match finish.contender:
        case Contender.ACCEPT | Contender.DENY | Contender.WITHDRAW:
            won = request.status is WINS[finish.contender]
            assert finish.refused != won, summary
            if finish.refused:
                assert isinstance(finish.outcome, RequestResolvedError), summary
                assert str(finish.outcome) == str(RequestResolvedError(request)), summary
        case Contender.CLOSE:
            assert finish.refused == (ticket.close_cause is not CloseCause.COMMAND), summary
            assert not finish.refused or isinstance(finish.outcome, TicketNotOpenError), summary
        case Contender.EXCLUDE:
            assert finish.refused != ticket.exclude_from_autoclose, summary
            assert not finish.refused or isinstance(finish.outcome, TicketNotOpenError), summary
        case Contender.EXPIRE:
            expired = request.status is RequestStatus.EXPIRED
            assert expired or finish.outcome is not AutoCloseOutcome.CLOSED, summary
            assert not expired or finish.outcome in EXPIRED, summary
        case Contender.REPLY:
            assert not finish.outcome or request.status is RequestStatus.ANSWERED, summary
        case Contender.RESUME:
            assert finish.outcome is None, summary


def _check_someone_won(finishes: Sequence[Finish], request: CloseRequest, summary: str) -> None:
    """Nobody else but the contenders can have ended it, and it ended if anyone could end it."""
    ran = {finish.contender for finish in finishes}
    returned = [(finish.contender, finish.outcome) for finish in finishes]
    match request.status:
        case RequestStatus.PENDING:
            assert ran <= {Contender.EXCLUDE, Contender.EXPIRE, Contender.RESUME}, summary
            assert ran != {Contender.EXPIRE, Contender.RESUME}, summary
        case RequestStatus.ANSWERED:
            by_reply = (Contender.REPLY, True) in returned
            assert by_reply or (Contender.EXPIRE, AutoCloseOutcome.ANSWERED) in returned, summary
        case RequestStatus.CLOSED:
            assert Contender.CLOSE in ran, summary
        case RequestStatus.EXPIRED:
            assert Contender.EXPIRE in ran, summary
        case status:
            assert any(WINS.get(contender) is status for contender in ran), summary


def _check_events(
    ticket: Ticket, request: CloseRequest, events: Sequence[str], summary: str
) -> None:
    """One outcome in the database, and the audit trail tells the same story."""
    resolutions = [event for event in events if event in RESOLVED]
    status = request.status.value
    assert resolutions == ([status] if status in RESOLVED else []), summary
    by_command = ticket.close_cause is CloseCause.COMMAND
    assert events.count("closing") == int(by_command or status == "accepted"), summary
    closes = by_command or status in {"accepted", "expired"}
    assert ticket.status is (TicketStatus.CLOSED if closes else TicketStatus.OPEN), summary
    if status in {"accepted", "expired"}:
        assert ticket.close_cause == CloseCause(status), summary
    if closes:
        assert events.count("closed") == 1, summary
        assert events[-1] == "closed", summary
    assert events.count("excluded") == int(ticket.exclude_from_autoclose), summary
    if status == "expired":
        assert "excluded" not in events, summary
    assert (request.resolved_at is None) == (status == "pending"), summary
