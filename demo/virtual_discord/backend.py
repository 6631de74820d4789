"""simcord's state, with the real time, and files that can be downloaded."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from simcord._clock import Clock
from simcord.backend import Backend
from simcord.backend.cdn import CdnStore
from simcord.backend.models import Interaction

FILES = "/files"


class RealClock(Clock):
    """simcord's own stands still until it is moved; deadlines come from PostgreSQL and are real."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class Files(CdnStore):
    """What was attached, at an address where a bot in another process gets it. It can't be guessed:
    whoever has it needs no other key, as with Discord's own."""

    def __init__(self) -> None:
        super().__init__()
        self.origin = ""
        self._by_path: dict[str, bytes] = {}

    def store_attachment(
        self,
        attachment_id: int,
        channel_id: int,
        filename: str,
        data: bytes,
        description: str | None,
    ) -> dict[str, Any]:
        stored = super().store_attachment(attachment_id, channel_id, filename, data, description)
        place = secrets.token_urlsafe(12)
        self._by_path[f"{place}/{filename}"] = data
        url = f"{self.origin}{FILES}/{place}/{quote(filename)}"
        return stored | {"url": url, "proxy_url": url}

    def at(self, path: str) -> bytes | None:
        """By the path below `/files/`, not quoted any more."""
        return self._by_path.get(path)


class VirtualBackend(Backend):
    """simcord's state."""

    def __init__(self) -> None:
        super().__init__(clock=RealClock())
        self.files = Files()
        self.cdn = self.files

    def new_interaction(
        self,
        type: int,  # noqa: A002  # simcord's name
        channel_id: int,
        user_id: int,
        guild_id: int | None,
    ) -> Interaction:
        """With a token that can't be guessed, since it is all that an answer needs."""
        record = super().new_interaction(type, channel_id, user_id, guild_id)
        record.token = secrets.token_urlsafe(24)
        self.interaction_tokens[record.token] = record.id
        return record


def forget_history(backend: Backend) -> None:
    """What simcord keeps for the assertions of tests would grow for as long as the demo runs."""
    backend.transcript.clear()
    backend.http_requests.clear()
