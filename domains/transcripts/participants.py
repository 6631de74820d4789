"""Who wrote in a ticket, for the head of its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domains.transcripts.models import Named, TranscriptMessage


@dataclass(frozen=True, slots=True)
class Participant:
    who: Named
    messages: int


class Participants:
    """Counts along while a transcript is saved. Bots, and whoever is not known, don't count."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._messages: dict[int, int] = {}

    def add(self, message: TranscriptMessage) -> None:
        if message.author_is_bot or not message.author_name:
            return
        self._names[message.author_id] = message.author_name
        self._messages[message.author_id] = self._messages.get(message.author_id, 0) + 1

    def in_order(self) -> Sequence[Participant]:
        """Who wrote first comes first."""
        return [
            Participant(Named(user_id, self._names[user_id]), count)
            for user_id, count in self._messages.items()
        ]
