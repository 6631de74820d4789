"""Small things that people meet: a deadline too far, a lost setting, a wrong word or time."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domains.database import Database
from domains.errors import UserError
from tests.faults.fault_env import FaultEnv
from tests.faults.test_clock_jumps import CLOCK
from tests.found.sql import Sql
from tests.ticket_lifecycle.helpdesk import STAFF_ID, HelpDesk
from tests.wire import Discord

LONGEST = timedelta(days=30)


async def test_staff_moves_no_deadline_beyond_thirty_days(
    database: Database, tmp_path: Path
) -> None:
    """A refusal is as good as a deadline that is as far as it may be."""
    desk = HelpDesk.in_a_new_world(database, tmp_path / "transcripts")
    ticket = await desk.open()
    request = await desk.ask(ticket, LONGEST / timedelta(hours=1))
    with suppress(UserError):
        await desk.lifecycle.extend_close_request(ticket.id, STAFF_ID, request.id)
    deadline = (await desk.request(request.id)).auto_close_at
    assert deadline is not None
    assert deadline <= desk.lifecycle.now() + LONGEST + timedelta(seconds=1)


async def test_two_settings_changed_at_once_are_both_kept(fault_env: FaultEnv, sql: Sql) -> None:
    """Both have read the settings before either may write."""
    await fault_env.start()
    ticket = await fault_env.open()
    discord, owner = fault_env.discord, fault_env.discord.owner
    other = discord.add_category("Another category")
    async with sql.connection() as connection, connection.transaction():
        await connection.execute("select from guild_settings for update")
        changes = [
            discord.begin_slash(owner, discord.general, "setup", category=other),
            discord.begin_slash(owner, discord.general, "autoclose replies", keep_open=False),
        ]
        for change in changes:
            await change.answered(within=5)
        await asyncio.sleep(1)
    for change in changes:
        await change.finished(within=10)
    await fault_env.ask(ticket, "2s")
    await discord.say(discord.customer, ticket, "Replies keep nothing open any more")
    assert (await fault_env.open()).parent_id == other.id
    await discord.wait_deleted(ticket, within=6)


@pytest.fixture
def full_categories(fault_env: FaultEnv, monkeypatch: pytest.MonkeyPatch) -> Discord:
    """A category has room for one channel here, as elsewhere for fifty; all of them are full."""
    monkeypatch.setattr("tests.wire.channels.CHANNELS_PER_CATEGORY", 1)
    categories = [fault_env.helpdesk.category]
    categories += [fault_env.discord.add_category(f"Tickets {number}") for number in range(2, 12)]
    for number, category in enumerate(categories):
        fault_env.discord.add_channel(f"old-{number}", category=category)
    return fault_env.discord


async def test_that_all_categories_are_full_is_told_as_that(
    fault_env: FaultEnv, full_categories: Discord
) -> None:
    discord = full_categories
    await fault_env.start()
    form = await discord.click(discord.customer, await fault_env.panel(), "Open a ticket")
    reply = await discord.submit_modal(discord.customer, form, {"subject": "It is broken"})
    assert "did not answer" not in reply.text
    assert "full" in reply.text or fault_env.helpdesk.tickets()


async def test_a_transcript_tells_when_the_ticket_closed_by_the_databases_clock(
    fault_env: FaultEnv, tmp_path: Path
) -> None:
    offset = tmp_path / "clock-offset"
    offset.write_text("7200", encoding="ascii")
    await fault_env.start(PYTHONPATH=str(CLOCK), CLOCK_OFFSET=str(offset))
    ticket = await fault_env.open()
    fault_env.discord.begin_slash(fault_env.discord.staff, ticket, "close")
    await fault_env.discord.wait_deleted(ticket)
    [page] = [
        file.content for post in fault_env.helpdesk.closes_logged() for file in post.attachments
    ]
    times = [
        datetime.fromisoformat(time) for time in re.findall(r'datetime="([^"]+)"', page.decode())
    ]
    assert times
    assert max(times) < datetime.now(UTC) + timedelta(minutes=5)
