"""A database that begins anew repeats its ids; what Discord is sent is new all the same."""

from __future__ import annotations

import pytest

from tests.faults.fault_env import FaultEnv
from tests.found.server import QUESTION, begin_open, wait_opened
from tests.found.sql import Sql


@pytest.mark.parametrize("how", ["emptied", "restored"])
async def test_a_question_is_not_swallowed_as_a_repeat_of_one_from_before(
    fault_env: FaultEnv, monkeypatch: pytest.MonkeyPatch, how: str, sql: Sql
) -> None:
    """Discord knows a nonce again for some minutes. Restored, the installation is the same."""
    monkeypatch.setattr("tests.wire.messages.NONCE_SECONDS", 300.0)
    discord = fault_env.discord
    await fault_env.start()
    panel = await fault_env.panel()
    await fault_env.ask(await fault_env.open(), "1h")
    await fault_env.kill()
    await (sql.forget_everything() if how == "emptied" else sql.forget_tickets())
    await fault_env.start()
    panel = await fault_env.helpdesk.set_up() if how == "emptied" else panel
    member = discord.add_member("bob")
    opening = await begin_open(discord, panel, member)
    await opening.finished(within=10)
    ticket = await wait_opened(discord, member)
    await discord.slash(discord.staff, ticket, "closerequest", close_delay="3s")
    await discord.wait_message(ticket, QUESTION, within=2.5)
    assert any("It is broken" in message.text for message in ticket.messages.values())
