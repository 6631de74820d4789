"""simcord's state, with the real time, and files that can be downloaded."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from simcord._clock import Clock
from simcord.backend import Backend
from simcord.backend.cdn import CdnStore

FILES = "/files"


class RealClock(Clock):
    """simcord's own stands still until it is moved; deadlines come from PostgreSQL and are real."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class Files(CdnStore):
    """What was attached, at an address where a bot in another process gets it."""

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
        self._by_path[f"{channel_id}/{attachment_id}/{filename}"] = data
        url = f"{self.origin}{FILES}/{channel_id}/{attachment_id}/{quote(filename)}"
        return stored | {"url": url, "proxy_url": url}

    def at(self, path: str) -> bytes | None:
        """By the path below `/files/`, not quoted any more."""
        return self._by_path.get(path)


def new_backend() -> tuple[Backend, Files]:
    backend, files = Backend(clock=RealClock()), Files()
    backend.cdn = files
    return backend, files


def forget_history(backend: Backend) -> None:
    """What simcord keeps for the assertions of tests would grow for as long as the demo runs."""
    backend.transcript.clear()
    backend.http_requests.clear()
