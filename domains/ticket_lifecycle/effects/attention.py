"""Calling for a person."""

from __future__ import annotations

from typing import ClassVar

from domains.effects.effect import Lane
from domains.ticket_lifecycle.effect_kinds import EffectKind
from domains.ticket_lifecycle.effects.ticket_effect import Situation, TicketEffect


class ReportAttention(TicketEffect):
    kind: ClassVar[str] = EffectKind.REPORT_ATTENTION
    lane: ClassVar[Lane] = Lane.ATTENTION

    async def tell(self, situation: Situation) -> None:
        if situation.ticket.attention is not None:
            await self.services.channels.ask_for_attention(
                situation.ticket, situation.guild, situation.posting
            )
