"""What was seen of a ticket a moment ago, so that Discord need not be asked again."""

from __future__ import annotations

MOST = 1_000


class Noted:
    """In this process only, and not for ever: whoever finds nothing has to ask."""

    def __init__(self) -> None:
        self._seen: dict[int, bool] = {}

    def note(self, ticket_id: int, seen: bool) -> None:
        if len(self._seen) >= MOST:
            del self._seen[next(iter(self._seen))]
        self._seen[ticket_id] = seen

    def take(self, ticket_id: int) -> bool | None:
        return self._seen.pop(ticket_id, None)
