"""Whoever waits for an answer is told of it: a reply to the close request mentions them."""

from __future__ import annotations

from typing import ClassVar

from domains.database import Transaction
from domains.effects.effect import AfterDelivery
from domains.ticket_lifecycle.channels import Announcement
from domains.ticket_lifecycle.effect_kinds import EffectKind
from domains.ticket_lifecycle.effects.ticket_effect import Situation, TicketEffect
from domains.ticket_lifecycle.models import CloseRequest, RequestStatus, Ticket, TicketStatus
from domains.ticket_lifecycle.store import requests


class AnnounceAnswer(TicketEffect):
    """The opener wrote."""

    kind: ClassVar[str] = EffectKind.ANNOUNCE_ANSWER

    async def tell(self, situation: Situation) -> None:
        ticket, request = situation.ticket, situation.request
        if request is not None and ticket.status is TicketStatus.OPEN:
            await self.services.channels.announce(
                ticket, _to_who_asked("answered", request), situation.posting
            )


class AnnounceDenial(TicketEffect):
    """The opener wants to keep the ticket open, or support has thought better of it."""

    kind: ClassVar[str] = EffectKind.ANNOUNCE_DENIAL

    async def tell(self, situation: Situation) -> None:
        ticket, request = situation.ticket, situation.request
        if request is None or ticket.status is not TicketStatus.OPEN:
            return
        if request.resolved_by_id == request.requested_by_id:
            return  # who asked knows
        key = "denied" if request.status is RequestStatus.DENIED else "withdrawn"
        await self.services.channels.announce(
            ticket, _to_who_asked(key, request), situation.posting
        )


class AnnounceExtension(TicketEffect):
    """The first one of a request is a message of its own; those that follow change it."""

    kind: ClassVar[str] = EffectKind.ANNOUNCE_EXTENSION

    async def tell(self, situation: Situation) -> AfterDelivery | None:
        ticket, request = situation.ticket, situation.request
        if request is None or request.status is not RequestStatus.PENDING:
            return None
        announcement = Announcement(
            "extended" if request.extended_by_id == ticket.opener_id else "extended_by_support",
            mention_id=_who_is_told(ticket, request),
            request=request,
            is_reply=True,
            message_id=request.extension_message_id,
        )
        message_id = await self.services.channels.announce(ticket, announcement, situation.posting)

        async def record(transaction: Transaction) -> None:
            await requests.set_extension_message(transaction.connection, request.id, message_id)

        return record


def _who_is_told(ticket: Ticket, request: CloseRequest) -> int:
    """Not the one who did it."""
    if request.extended_by_id == ticket.opener_id:
        return request.requested_by_id
    return ticket.opener_id


def _to_who_asked(key: str, request: CloseRequest) -> Announcement:
    return Announcement(key, mention_id=request.requested_by_id, request=request, is_reply=True)
