"""What the effects of a ticket have in common: they read it anew, and tell what went wrong."""

from __future__ import annotations

import logging
from abc import abstractmethod
from dataclasses import dataclass

from domains.database import Transaction
from domains.effects import store as effects
from domains.effects.effect import AfterDelivery, Effect, EffectType, Lane, NeedsPersonError
from domains.error_codes import error_code, one_line
from domains.ticket_lifecycle.channels import ChannelGoneError, PermissionMissingError, Posting
from domains.ticket_lifecycle.effect_kinds import CLOSE_STEPS, EffectKind
from domains.ticket_lifecycle.models import CloseCause, CloseRequest, GuildSettings, Params, Ticket
from domains.ticket_lifecycle.services import Services
from domains.ticket_lifecycle.store import events, guilds, requests, tickets
from domains.ticket_lifecycle.transitions import TICKET

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Situation:
    """The truth, as it is when the effect is done."""

    ticket: Ticket
    request: CloseRequest | None
    """The close request that the effect is about, if it is about one."""
    guild: GuildSettings
    posting: Posting


class TicketEffect(EffectType):
    def __init__(self, services: Services) -> None:
        self.services = services

    @abstractmethod
    async def tell(self, situation: Situation) -> AfterDelivery | None:
        """Do it. ChannelGoneError means that there is nothing left to do it in, and is as good."""

    async def deliver(self, effect: Effect) -> AfterDelivery | None:
        async with self.services.database.connection() as connection:
            ticket = await tickets.get(connection, effect.ticket_id)
            if ticket is None:
                return None
            situation = Situation(
                ticket=ticket,
                request=await requests.get(connection, effect.subject_id)
                if effect.subject_id
                else None,
                guild=await guilds.settings(connection, ticket.guild_id),
                posting=Posting(
                    f"{self.services.database.installation_id}-{effect.nonce}", effect.again
                ),
            )
        try:
            with self.services.status.translate_errors():
                then = await self.tell(situation)
        except ChannelGoneError as error:
            log.info("%s of ticket %s: %s", effect.kind, effect.ticket_id, error)
            then = _touch(effect.ticket_id)
        except PermissionMissingError as error:
            raise NeedsPersonError from error
        if self.essential and ticket.attention is not None:
            return _mended(ticket.id, then)
        return then

    async def failed(self, effect: Effect, error: Exception, *, needs_person: bool) -> None:
        """Into the ticket's history, and if no more retry helps, before a person."""
        code = error_code(error)
        async with self.services.database.transaction() as transaction:
            connection = transaction.connection
            ticket = await tickets.lock(connection, effect.ticket_id)
            if ticket is None:
                return
            if ticket.attention is None and not isinstance(error, NeedsPersonError):
                event = "close_failed" if _is_for_close(effect.kind) else "attempt_failed"
                await events.add(connection, ticket.id, event, params=code | {"step": effect.kind})
            if needs_person:
                why = code if isinstance(error, NeedsPersonError) else _keeps_failing(effect, code)
                await ask_for_attention(transaction, ticket, why)
        if ticket.close_cause is CloseCause.EXPIRED or effect.kind == EffectKind.READ_REPLIES:
            cause = error.__cause__ if isinstance(error, NeedsPersonError) else error
            log.error("❌ Failed to auto-close ticket %s: %s", ticket.id, one_line(cause or error))


def _touch(ticket_id: int) -> AfterDelivery:
    async def touch(transaction: Transaction) -> None:
        transaction.touch(TICKET, ticket_id)

    return touch


def _mended(ticket_id: int, then: AfterDelivery | None) -> AfterDelivery:
    async def record(transaction: Transaction) -> None:
        await tickets.clear_attention(transaction.connection, ticket_id)
        transaction.touch(TICKET, ticket_id)
        if then is not None:
            await then(transaction)

    return record


def _is_for_close(kind: str) -> bool:
    return kind in (EffectKind.READ_REPLIES, *CLOSE_STEPS)


def _keeps_failing(effect: Effect, error: Params) -> Params:
    if _is_for_close(effect.kind):
        return {"code": "close_keeps_failing", "error": dict(error)}
    return {"code": "keeps_failing", "step": effect.kind, "error": dict(error)}


async def ask_for_attention(transaction: Transaction, ticket: Ticket, why: Params) -> None:
    """Record that a person is needed, and say so once in the log channel."""
    if await tickets.set_attention(transaction.connection, ticket.id, why) is None:
        return
    await events.add(transaction.connection, ticket.id, "attention", params=why)
    await effects.add(
        transaction.connection, ticket.id, EffectKind.REPORT_ATTENTION, lane=Lane.ATTENTION
    )
    transaction.touch(TICKET, ticket.id)
    log.warning("Ticket %s needs attention: %s", ticket.id, why)
