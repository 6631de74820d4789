"""What Discord is to be told about a ticket, by the names that the outbox keeps."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from domains.effects.effect import Lane


class EffectKind(StrEnum):
    OPEN_CHANNEL = "open-channel"
    WELCOME = "welcome"
    ASK = "ask"
    SYNC_REQUEST = "sync-request"
    """Make the message of a close request tell what its row says."""
    SYNC_CARD = "sync-card"
    """Make the first message of a ticket tell its state."""
    ANNOUNCE_ANSWER = "announce-answer"
    ANNOUNCE_DENIAL = "announce-denial"
    ANNOUNCE_EXTENSION = "announce-extension"
    ANNOUNCE_GRACE = "announce-grace"
    READ_REPLIES = "read-replies"
    SAVE_TRANSCRIPT = "save-transcript"
    LOG_CLOSE = "log-close"
    DM_OPENER = "dm-opener"
    REMOVE_CHANNEL = "remove-channel"
    REPORT_ATTENTION = "report-attention"


CLOSE_STEPS: Final = (
    EffectKind.SAVE_TRANSCRIPT,
    EffectKind.LOG_CLOSE,
    EffectKind.DM_OPENER,
    EffectKind.REMOVE_CHANNEL,
)
"""In this order: nothing is deleted before the transcript is saved."""

MOOT_IN_A_CLOSING_TICKET: Final = (
    EffectKind.WELCOME,
    EffectKind.SYNC_CARD,
    EffectKind.ANNOUNCE_ANSWER,
    EffectKind.ANNOUNCE_DENIAL,
    EffectKind.ANNOUNCE_EXTENSION,
    EffectKind.ANNOUNCE_GRACE,
    EffectKind.READ_REPLIES,
    EffectKind.REPORT_ATTENTION,
)


def story(*kinds: EffectKind) -> list[tuple[str, int, Lane]]:
    """Steps about the ticket itself, for `store.add_many`."""
    return [(kind, 0, Lane.STORY) for kind in kinds]
