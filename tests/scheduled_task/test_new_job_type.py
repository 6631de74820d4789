"""`docs/new-job-type.md` is followed to the letter: what it shows is a kind that works."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from types import ModuleType

import pytest

from cogs import announcements
from domains.database import Database
from domains.formatting import PlainStyle, timer_words
from domains.monitoring.timer_list import TimerList
from domains.scheduled_task import jobs
from domains.ticket_lifecycle.channels import Announcement
from locales import LOCALES, catalogue
from tests.waiting import eventually

from .conftest import MakeScheduler
from .redis_view import INCOMPLETE, RedisView
from .tickets import GUILD_ID, STAFF_ID, Tickets

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "new-job-type.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"`([\w/]+\.p[oy])`\n\n```\w+\n(.*?)```", GUIDE, re.DOTALL))
"""Where the guide says that it goes, and what."""
KIND, TEST = "domains/scheduled_task/jobs/nudge.py", "tests/scheduled_task/test_nudge.py"
TRANSLATIONS = {path for path in BLOCKS if path.endswith(".po")}

pytestmark = pytest.mark.usefixtures("ends_soon", "followed")


@pytest.fixture
def followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """All that the guide says, done."""
    assert BLOCKS.keys() == {KIND, TEST, *TRANSLATIONS}
    assert {path.split("/")[1] for path in TRANSLATIONS} == set(LOCALES)
    folder = tmp_path / "jobs"
    folder.mkdir()
    (folder / Path(KIND).name).write_text(BLOCKS[KIND], encoding="utf-8")
    monkeypatch.setattr(jobs, "__path__", [*jobs.__path__, str(folder)])
    shutil.copytree(ROOT / "locales", tmp_path / "locales")
    for path in TRANSLATIONS:
        with (tmp_path / path).open("a", encoding="utf-8") as file:
            file.write(f"\n{BLOCKS[path]}")
    monkeypatch.setattr(catalogue, "DIRECTORY", tmp_path / "locales")
    catalogue.catalogue.cache_clear()
    yield
    catalogue.catalogue.cache_clear()
    sys.modules.pop("domains.scheduled_task.jobs.nudge", None)


@pytest.fixture
def guides_test(tmp_path: Path) -> Callable[..., Awaitable[None]]:
    path = tmp_path / Path(TEST).name
    path.write_text(BLOCKS[TEST], encoding="utf-8")
    module = _load(f"{__package__}.{path.stem}", path)
    [test] = [value for name, value in vars(module).items() if name.startswith("test_")]
    return test


def _load(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_the_guides_own_test_passes(
    guides_test: Callable[..., Awaitable[None]], make_scheduler: MakeScheduler, tickets: Tickets
) -> None:
    await guides_test(make_scheduler, tickets)


async def test_the_kind_of_the_guide_is_scheduled_listed_explained_and_repaired(
    make_scheduler: MakeScheduler, tickets: Tickets, database: Database, redis: RedisView
) -> None:
    scheduler = tickets.close_with(make_scheduler())
    await scheduler.connect()
    ticket = await tickets.open()
    await scheduler.reconcile()
    [job_id] = await redis.ids(INCOMPLETE)
    assert job_id.startswith(f"nudge-{ticket.id}-")

    [timer], total = await scheduler.timers.of_guild(scheduler.kinds, GUILD_ID, 10)
    assert (timer.key, total) == (job_id, 1)
    [line] = await TimerList(database, scheduler).page(10, 0)
    assert line.timer == timer
    for locale in LOCALES:
        assert timer_words(timer.kind, PlainStyle(locale)) != timer.kind
    assert str(ticket.opener_id) in announcements.in_ticket(
        Announcement("nudge", mention_id=ticket.opener_id), ticket
    )

    await redis.call("FLUSHALL")
    await scheduler.reconcile()
    assert await redis.ids(INCOMPLETE) == [job_id], "it is there again"
    await tickets.ask(ticket)
    await eventually(lambda: is_gone(redis, job_id))
    await tickets.execute("delete from punctual.close_requests")
    await scheduler.reconcile()
    assert await redis.ids(INCOMPLETE) == [job_id], "and what is no longer wanted is not"
    await tickets.lifecycle.close_ticket(ticket.id, STAFF_ID)
    assert await is_gone(redis, job_id)


async def is_gone(redis: RedisView, job_id: str) -> bool:
    return job_id not in await redis.ids(INCOMPLETE)
