"""What the channel is told, it is told once, however slow Discord is at it."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.fault_env import FaultEnv

SLOW_S = 7.0
LOOKS_S = 5.5
"""In which the bot looks for all that it has not told."""
"""A call to Discord may take ten seconds."""


async def test_that_the_ticket_stays_open_is_said_once_though_the_edit_takes_long(
    fault_env: FaultEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.wire.messages.NONCE_SECONDS", 300.0)
    discord = fault_env.discord
    await fault_env.start()
    ticket = await fault_env.open()
    await fault_env.ask(ticket, "1h")
    edits = f"/channels/{ticket.id}/messages/*"
    discord.faults.add("PATCH", edits, hang=SLOW_S)
    await discord.say(discord.customer, ticket, "It is not solved")
    await discord.until(lambda: discord.requests_to("PATCH", edits), "the edit to begin")
    await asyncio.sleep(LOOKS_S)
    await fault_env.valkey.call("FLUSHALL")  # then the bot looks for all that is owed, at once
    await asyncio.sleep(SLOW_S - LOOKS_S + 1.5)  # the edit is done, and what follows it
    said = [message for message in ticket.messages.values() if "stays open" in message.content]
    assert len(said) == 1
