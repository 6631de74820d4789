"""The list of tickets, those that need a person, each one, and what to do with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from domains.monitoring.alarm import alarm_words
from domains.monitoring.ticket_actions import TicketAction, TicketCase
from domains.monitoring.ticket_list import MAX_TEXT, TicketFilter, TicketState
from domains.ticket_lifecycle.errors import TicketNotFoundError
from domains.ticket_lifecycle.wording import outlook_words
from web.dependencies import Dependencies
from web.names import NamedStyle
from web.page_maker import PAGE, NotFoundError, PageMaker, Paging, number_in, page_number

MAX_NAMED = 50
"""Members whose name has the text that is looked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The form above the list, as it was sent."""

    server: str = ""
    state: str = ""
    opener: str = ""
    subject: str = ""

    def to(self, before: int | None) -> str:
        """The same list from there on."""
        fields = {
            "server": self.server,
            "state": self.state,
            "opener": self.opener,
            "subject": self.subject,
            "before": "" if before is None else str(before),
        }
        return f"/tickets?{urlencode({name: value for name, value in fields.items() if value})}"

    @property
    def is_narrowed(self) -> bool:
        return bool(self.server or self.state or self.opener or self.subject)


class TicketPages:
    def __init__(self, dependencies: Dependencies, maker: PageMaker) -> None:
        self._monitor = dependencies.monitor
        self._ticket_actions = dependencies.ticket_actions
        self._bulk_retry = dependencies.bulk_retry
        self._tickets = dependencies.tickets
        self._names = dependencies.names
        self._page = maker.page

    async def tickets(self, request: web.Request) -> web.Response:
        asked = Asked(
            server=_field(request, "server"),
            state=_field(request, "state"),
            opener=_field(request, "opener"),
            subject=_field(request, "subject"),
        )
        before = number_in(request.query.get("before", ""))
        page = await self._monitor.tickets(self._filter(asked), before, PAGE)
        return await self._page(
            "tickets",
            request,
            live=before is None,
            found=page,
            asked=asked,
            before=before,
            servers=await self._servers(),
            ticket_states=list(TicketState),
        )

    def _filter(self, asked: Asked) -> TicketFilter:
        return TicketFilter(
            guild_id=number_in(asked.server),
            state=TicketState(asked.state) if asked.state in list(TicketState) else None,
            opener_ids=self._openers(asked.opener),
            text=asked.subject,
        )

    def _openers(self, asked: str) -> list[int] | None:
        if not asked:
            return None
        number = number_in(asked)
        return [*self._names.members_named(asked, MAX_NAMED), *([number] if number else [])]

    async def _servers(self) -> Mapping[int, str]:
        """Those that have tickets, by their names."""
        ids = await self._monitor.servers()
        names = {id_: self._names.server(id_) or f"Server {id_}" for id_ in ids}
        return dict(sorted(names.items(), key=lambda each: each[1].casefold()))

    async def attention(self, request: web.Request) -> web.Response:
        page = page_number(request)
        tickets, total = await self._monitor.attention(PAGE, (page - 1) * PAGE)
        async with self._monitor.query_timeout():
            groups = await self._bulk_retry.ticket_groups()
        return await self._page(
            "attention",
            request,
            tickets=tickets,
            groups=groups,
            paging=Paging(page, total, request.path),
        )

    async def ticket(self, request: web.Request) -> web.Response:
        ticket_id = int(request.match_info["ticket_id"])
        async with self._monitor.query_timeout():
            case = await self._case(ticket_id)
            events = await self._tickets.events(ticket_id)
            effects = await self._tickets.pending_effects(ticket_id)
            explanation = await self._tickets.explain(ticket_id)
        if explanation is None:
            raise NotFoundError("such ticket")
        timers = await self._monitor.timers_of_ticket(ticket_id)
        jobs, now = await self._monitor.jobs_of(ticket_id), self._monitor.now()
        style = NamedStyle(self._names, case.ticket.guild_id)
        return await self._page(
            "ticket",
            request,
            live=True,
            ticket=case.ticket,
            close_request=case.request,
            actions=case.options(),
            events=events,
            effects=effects,
            jobs=jobs,
            transcript=await self._tickets.transcript(case.ticket),
            outlook=outlook_words(explanation, style),
            timers=[(timer, alarm_words(timer, jobs, now, style)) for timer in timers],
        )

    async def confirm(self, request: web.Request) -> web.Response:
        """Asks before anything is done."""
        ticket_id = int(request.match_info["ticket_id"])
        action = action_named(request.match_info["action"])
        async with self._monitor.query_timeout():
            case = await self._case(ticket_id)
        return await self._page(
            "confirm",
            request,
            ticket=case.ticket,
            close_request=case.request,
            action=action,
            is_possible=action in case.options(),
        )

    async def _case(self, ticket_id: int) -> TicketCase:
        try:
            return await self._ticket_actions.case(ticket_id)
        except TicketNotFoundError:
            raise NotFoundError("such ticket") from None


def _field(request: web.Request, name: str) -> str:
    """PostgreSQL's text holds all but the zero byte and half a surrogate pair."""
    text = request.query.get(name, "").encode(errors="ignore").decode()
    return text.replace("\0", "").strip()[:MAX_TEXT]


def action_named(name: str) -> TicketAction:
    if name not in list(TicketAction):
        raise NotFoundError("such page")
    return TicketAction(name)
