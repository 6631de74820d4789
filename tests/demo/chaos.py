"""One ticket's close, with everything done to it in one order."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.demo.visitor import Visitor

BLOWS = ("kill_bot", "flush_redis", "stop_postgres", "cut_discord")
ORDERS = list(itertools.permutations(BLOWS))
BETWEEN_S = 1.0
CLOSE_TIMEOUT_S = 60.0
ON_TIME_MS = 1_000
AFTER_RETURN_MS = 5_000


@dataclass(frozen=True, slots=True)
class Close:
    order: Sequence[str]
    delay_s: int
    late_ms: int
    after_ms: int | None
    log_posts: int
    closings: int

    def is_punctual(self, patience: int = 1) -> bool:
        """Within a second of the deadline, or soon after what it needs was back; never early. A
        machine that is busy with other tests needs patience."""
        waited = self.after_ms is not None and self.after_ms <= AFTER_RETURN_MS * patience
        return 0 <= self.late_ms <= ON_TIME_MS * patience or waited

    def __str__(self) -> str:
        after = f", {self.after_ms} ms after the return" if self.after_ms is not None else ""
        return f"{self.delay_s:2} s, {' '.join(self.order)}: {self.late_ms} ms late{after}"


async def close_amid(visitor: Visitor, order: Sequence[str], delay_s: int) -> Close:
    """Opens a ticket, asks to close it, strikes, and waits until it has closed by itself."""
    await visitor.step("open")
    name = visitor.ticket
    await visitor.step("ask", delay=f"{delay_s}s")
    await visitor.until_shown('id="countdown"', "truth")
    for blow in order:
        assert (await visitor.act("strike", blow=blow))["struck"]
        await asyncio.sleep(BETWEEN_S)
    await visitor.until(lambda: visitor.closed_late_ms, "the close", CLOSE_TIMEOUT_S)
    assert visitor.closed_late_ms is not None
    late_ms, after_ms = visitor.closed_late_ms
    closings = len(re.findall(r"<code>closed</code>", visitor.regions["truth"]))
    await visitor.until(
        lambda: "aria-disabled" not in visitor.regions["proof"], "all to be mended", CLOSE_TIMEOUT_S
    )
    await visitor.look("sam", "ticket-log")
    log_posts = len(set(re.findall(rf"/files/[^\"]*/{name}\.html", visitor.regions["messages"])))
    return Close(order, delay_s, late_ms, after_ms, log_posts, closings)
