"""What lets hundreds of whole bots start and stop in a minute or two."""

from __future__ import annotations

import pytest

from domains.scheduled_task.workers import worker


@pytest.fixture(autouse=True)
def quick_goodbyes(monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle worker notices a shutdown when its blocked dequeue returns: sooner than in life."""
    monkeypatch.setattr(worker, "DEQUEUE_TIMEOUT_S", 0.1)


@pytest.fixture
def database_url(emptied_database_url: str) -> str:
    return emptied_database_url
