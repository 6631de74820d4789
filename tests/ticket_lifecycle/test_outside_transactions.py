"""Discord and the disk are slow and may fail: no transaction waits for them."""

from __future__ import annotations

import asyncpg
import pytest

from domains.ticket_lifecycle.channels import DiscordFailedError
from domains.ticket_lifecycle.errors import CannotAskError
from tests.ticket_lifecycle.helpdesk import OPENER_ID, STAFF_ID, HelpDesk

OPEN_TRANSACTIONS = (
    "select count(*) from pg_stat_activity where datname = current_database()"
    " and pid <> pg_backend_pid() and state = 'idle in transaction'"
)


async def test_nothing_outside_is_called_inside_a_transaction(
    desk: HelpDesk, database_url: str
) -> None:
    observer = await asyncpg.connect(database_url)
    seen: list[int] = []

    async def look() -> None:
        seen.append(await observer.fetchval(OPEN_TRANSACTIONS))

    desk.interruptions.always = look
    try:
        await live_a_life(desk)
        assert set(seen) == {0}
        async with desk.database.transaction():
            await look()
        assert seen[-1] == 1, "the observer sees one where there is one"
    finally:
        await observer.close()
    assert set(desk.interruptions.calls) >= {
        "create", "welcome", "ask", "show_outcome", "show_deadline", "announce",
        "opener_wrote_after", "names", "history", "save", "log_close", "dm_opener", "remove",
    }  # fmt: skip


async def live_a_life(desk: HelpDesk) -> None:
    lifecycle = desk.lifecycle
    ticket = await desk.open()
    await desk.ask(ticket)
    await desk.ask(ticket)
    await lifecycle.exclude_from_autoclose(ticket.id, STAFF_ID)
    await lifecycle.include_in_autoclose(ticket.id, STAFF_ID)
    await lifecycle.ask_for_more_time(ticket.id, OPENER_ID)
    await lifecycle.cancel_close_request(ticket.id, OPENER_ID)
    await desk.ask(ticket)
    assert await desk.write_and_note(ticket)
    desk.channels.failures["ask"] = [DiscordFailedError("500")]
    with pytest.raises(CannotAskError):
        await desk.ask(ticket)
    await desk.restarted().run_out_and_fire(await desk.ask(ticket))
    for end in (lifecycle.accept_close_request, lifecycle.close_ticket):
        ticket = await desk.open()
        await desk.ask(ticket)
        await end(ticket.id, OPENER_ID)
