"""Discord's time in the demo. simcord's clock stands still at the start of 2026 until it is moved,
but deadlines come from PostgreSQL and are real."""

from __future__ import annotations

from datetime import UTC, datetime

import simcord


def catch_up(env: simcord.Env) -> None:
    """Move the virtual clock to the real time.

    Not by `env.advance_time()`: that is an operation, and if a viewer presses a button while one
    is under way, simcord refuses the press and its page waits for the outcome for ever.
    """
    behind = (datetime.now(UTC) - env.now()).total_seconds()
    if behind > 0:
        env.backend.advance_clock(behind)
