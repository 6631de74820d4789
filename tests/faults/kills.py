"""The instants at which a bot is killed: at the n-th request it makes from now on, just before
that takes effect or just after, the answer lost."""

from __future__ import annotations

import os
import random
from typing import Self

from tests.faults.fault_env import FaultEnv
from tests.wire import Call, Moment

SEED = int(os.environ.get("FAULT_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)
"""Printed when a test fails; set FAULT_SEED to have the same instants again."""


class KillAt:
    """Armed at once. `struck` tells whether there was such a request at all."""

    def __init__(
        self,
        fault_env: FaultEnv,
        moment: Moment,
        *,
        nth: int = 1,
        method: str = "*",
        path: str = "**",
    ) -> None:
        self._fault_env = fault_env
        self._left = nth
        self.struck: Call | None = None
        self._rule = fault_env.discord.on_request(
            method, path, self._meet, moment=moment, times=None
        )

    def _meet(self, call: Call) -> object:
        self._left -= 1
        if self._left:
            return None
        self.struck = call
        self.disarm()
        return self._fault_env.strike_and_lose()

    def disarm(self) -> None:
        self._rule.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.disarm()
