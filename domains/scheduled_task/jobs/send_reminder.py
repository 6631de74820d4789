"""`send-reminder`: reminds an opener who has not answered a close request.

Half-way to the deadline, but not earlier than a day before it, and not when little time is left;
once a request, and never after an answer. It moves with the deadline.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar

from domains.database import Transaction
from domains.effects import EffectType
from domains.effects import store as effects
from domains.effects.effect import AfterDelivery
from domains.scheduled_task.job_type import RunPolicy
from domains.scheduled_task.timer import Timer
from domains.scheduled_task.timer_kind import TimerKind, TimerPayload
from domains.ticket_lifecycle.channels import Announcement
from domains.ticket_lifecycle.effects.ticket_effect import Situation, TicketEffect
from domains.ticket_lifecycle.models import CloseRequest, RequestStatus
from domains.ticket_lifecycle.store import requests
from domains.ticket_lifecycle.transitions import sync_request

log = logging.getLogger(__name__)

EARLIEST = "interval '24 hours'"
"""At most so long before the deadline."""
LEAST_LEFT = "interval '10 minutes'"
"""With less time left, a reminder is of no use."""


class SendReminderPayload(TimerPayload):
    ticket_id: int
    close_request_id: int

    @property
    def subject_id(self) -> int:
        return self.close_request_id


class SendReminder(TimerKind):
    name: ClassVar[str] = "send-reminder"
    policy: ClassVar[RunPolicy] = RunPolicy(keep_completed=False, timeout=timedelta(minutes=1))
    payload_type: ClassVar[type[TimerPayload]] = SendReminderPayload
    wanted: ClassVar[str] = f"""
        select r.id as subject_id, r.ticket_id as owner_id, t.guild_id,
               date_trunc('milliseconds', greatest(
                   r.requested_at + (r.auto_close_at - r.requested_at) / 2,
                   r.auto_close_at - {EARLIEST})) as due,
               json_build_object('version', 1, 'ticket_id', r.ticket_id,
                                 'close_request_id', r.id)::text as payload
        from punctual.close_requests r join punctual.tickets t on t.id = r.ticket_id
        where r.status = 'pending'
          and r.auto_close_at > now() + {LEAST_LEFT}
          and (r.auto_close_at - r.requested_at) / 2 > {LEAST_LEFT}
          and t.status = 'open' and not t.exclude_from_autoclose
          and not exists (select from punctual.effects e
                          where e.ticket_id = r.ticket_id and e.subject_id = r.id
                            and e.kind in ('ask', 'announce-grace'))
          and not exists (select from punctual.fired_timers f
                          where f.kind = 'send-reminder' and f.subject_id = r.id)"""

    async def fire(
        self, transaction: Transaction, timers: Sequence[Timer]
    ) -> Mapping[int, timedelta]:
        await transaction.connection.execute(
            """insert into punctual.fired_timers (kind, subject_id, ticket_id)
               select 'send-reminder', * from unnest($1::bigint[], $2::bigint[])
               on conflict do nothing""",
            [timer.subject_id for timer in timers],
            [timer.owner_id for timer in timers],
        )
        about = [(timer.owner_id, timer.subject_id) for timer in timers]
        # What others wait behind is tried only once, so the DM goes first.
        for kind in (RemindByDm.kind, RemindInTicket.kind):
            await effects.add_about(transaction.connection, kind, about)
        transaction.touch(self.owner, *(timer.owner_id for timer in timers))
        return {}

    def effect_types(self) -> Sequence[EffectType]:
        services = self.services.ticket_lifecycle.services
        return [RemindInTicket(services), RemindByDm(services)]


class RemindInTicket(TicketEffect):
    kind: ClassVar[str] = "remind-in-ticket"

    async def tell(self, situation: Situation) -> AfterDelivery | None:
        request, announcement = situation.request, await self.reminder(situation)
        if request is None or announcement is None:
            return None
        message_id = await self.services.channels.announce(
            situation.ticket, announcement, situation.posting
        )
        log.info("Reminded the opener of ticket %s", situation.ticket.id)

        async def record(transaction: Transaction) -> None:
            """Its buttons are kept current from now on."""
            connection = transaction.connection
            await requests.set_reminder_message(connection, request.id, message_id)
            current = await requests.get(connection, request.id)
            if current is not None and _differs(current, request):
                await sync_request(transaction, current)

        return record

    async def reminder(self, situation: Situation) -> Announcement | None:
        """None if there is no longer anything to be reminded of: an answer may have been missed
        while nobody listened, so the ticket is read."""
        ticket, request = situation.ticket, situation.request
        if request is None or request.status is not RequestStatus.PENDING or not request.message_id:
            return None
        if ticket.exclude_from_autoclose or request.auto_close_at is None:
            return None
        if request.auto_close_at <= self.services.database.clock.moment():
            return None
        if situation.guild.reply_keeps_open and (
            await self.services.channels.opener_wrote_after(ticket, request.message_id)
        ):
            return None
        return Announcement(
            "reminder", mention_id=ticket.opener_id, request=request, has_buttons=True
        )


def _differs(current: CloseRequest, told: CloseRequest) -> bool:
    """It was answered or moved while Discord was posting the reminder."""
    return (current.status, current.auto_close_at) != (told.status, told.auto_close_at)


class RemindByDm(RemindInTicket):
    kind: ClassVar[str] = "remind-by-dm"

    async def tell(self, situation: Situation) -> AfterDelivery | None:
        if (announcement := await self.reminder(situation)) is not None:
            await self.services.channels.announce_by_dm(
                situation.ticket, announcement, situation.posting
            )
        return None
