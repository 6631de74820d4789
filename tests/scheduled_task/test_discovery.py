"""A new job type is one new file, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from domains.database import Database
from domains.scheduled_task import jobs
from domains.scheduled_task.job_type import JobServices
from domains.scheduled_task.jobs.auto_close import AutoClose
from domains.scheduled_task.jobs.cleanup_old_tickets import CleanupOldTickets
from domains.scheduled_task.jobs.end_block import EndBlock
from domains.scheduled_task.jobs.send_reminder import SendReminder

from .tickets import Tickets

REMIND = '''
"""`remind`: says that something is still to be done."""

from typing import ClassVar

from domains.scheduled_task.job_type import JobType, Payload
from domains.scheduled_task.jobs.auto_close import AutoClose  # noqa: F401  # not one of its own


class Base(JobType):
    """Abstract: it has no `run`."""


class Remind(Base):
    name: ClassVar[str] = "remind"

    async def run(self, payload: Payload) -> None:
        assert self.services.ticket_lifecycle


class AlmostAJob:
    pass
'''


@pytest.fixture
def remind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """The folder of job types, with one more file in it."""
    (tmp_path / "remind.py").write_text(REMIND, encoding="utf-8")
    monkeypatch.setattr(jobs, "__path__", [*jobs.__path__, str(tmp_path)])
    yield
    sys.modules.pop("domains.scheduled_task.jobs.remind", None)


def test_each_kind_is_found_once(tickets: Tickets, database: Database) -> None:
    found = jobs.discover(JobServices(database, tickets.lifecycle))
    kinds = [AutoClose, CleanupOldTickets, EndBlock, SendReminder]
    assert [type(job_type) for job_type in found] == kinds


def test_a_new_file_is_found_and_neither_abstract_nor_imported_classes_are_taken(
    tickets: Tickets, database: Database, remind: None
) -> None:
    found = jobs.discover(JobServices(database, tickets.lifecycle))
    assert sorted(job_type.name for job_type in found) == [
        "auto-close",
        "cleanup-old-tickets",
        "end-block",
        "remind",
        "send-reminder",
    ]
