"""What a command decides is told to Discord by the bot, and loses nothing by the wait."""

from __future__ import annotations

from tests.web.web_env import WebEnv

from .conftest import Typed


async def test_what_a_command_decides_waits_for_the_bot_without_having_failed(
    typed: Typed, web_env: WebEnv
) -> None:
    ticket = await web_env.open()
    key = await web_env.ask_to_close(ticket)
    assert (await typed("jobs", "remove", key)).status == 0
    pending = await web_env.lifecycle.pending_effects(ticket.id)
    assert "sync-request" in [effect.kind for effect in pending]
    assert [(effect.failures, effect.error) for effect in pending] == [(0, None)] * len(pending)
