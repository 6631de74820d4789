"""How Discord is told about a ticket: one class for each kind of effect."""

from __future__ import annotations

from collections.abc import Sequence

from domains.effects import EffectType
from domains.ticket_lifecycle.answer_request import AnswerRequest
from domains.ticket_lifecycle.effects.answering import (
    AnnounceAnswer,
    AnnounceDenial,
    AnnounceExtension,
)
from domains.ticket_lifecycle.effects.asking import (
    AnnounceGrace,
    Ask,
    ReadReplies,
    SyncCard,
    SyncRequest,
)
from domains.ticket_lifecycle.effects.attention import ReportAttention
from domains.ticket_lifecycle.effects.closing import (
    DmOpener,
    LogClose,
    RemoveChannel,
    SaveTranscript,
)
from domains.ticket_lifecycle.effects.opening import OpenChannel, Welcome
from domains.ticket_lifecycle.expire_requests import ExpireRequests
from domains.ticket_lifecycle.services import Services


def ticket_effects(
    services: Services, answers: AnswerRequest, expiry: ExpireRequests
) -> Sequence[EffectType]:
    return [
        OpenChannel(services),
        Welcome(services),
        Ask(services),
        SyncRequest(services),
        SyncCard(services),
        AnnounceAnswer(services),
        AnnounceDenial(services),
        AnnounceExtension(services),
        AnnounceGrace(services, answers),
        ReadReplies(services, answers, expiry),
        SaveTranscript(services),
        LogClose(services),
        DmOpener(services),
        RemoveChannel(services),
        ReportAttention(services),
    ]
