"""How a close came about, for the log and for the opener."""

from __future__ import annotations

from domains.ticket_lifecycle.channels import CloseFacts
from domains.ticket_lifecycle.models import CloseCause, Ticket
from domains.ticket_lifecycle.services import Services
from domains.ticket_lifecycle.store import events, message_changes, requests

DECISIONS = ("closing", "expired")
ASKED = (CloseCause.ACCEPTED, CloseCause.EXPIRED, CloseCause.WITHOUT_REDIS)


async def close_facts(services: Services, ticket: Ticket) -> CloseFacts:
    async with services.database.connection() as connection:
        history = await events.of_ticket(connection, ticket.id)
        request = await requests.latest(connection, ticket.id)
        others_took_back = await message_changes.has_of_others(
            connection, ticket.id, ticket.opener_id
        )
    asked = request if ticket.close_cause in ASKED else None
    decisions = [event for event in history if event.event in DECISIONS]
    return CloseFacts(
        decided_at=decisions[-1].at if decisions else None,
        asked_by_id=asked.requested_by_id if asked else None,
        late_ms=next((each.late_ms for each in history if each.event == "expired"), None),
        is_shareable=not others_took_back,
    )
