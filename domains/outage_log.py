"""A dependency that is away is said once at its loss and once at its return."""

from __future__ import annotations

import logging
from collections.abc import Callable


class OutageLog:
    def __init__(
        self,
        log: logging.Logger,
        lost: str,
        back: str,
        *,
        on_loss: Callable[[], None] | None = None,
    ) -> None:
        self._log = log
        self._lost = lost
        self._back = back
        self._on_loss = on_loss
        self._away = False

    @property
    def away(self) -> bool:
        return self._away

    def lost(self, error: BaseException) -> None:
        if not self._away:
            self._away = True
            reason = " ".join(str(error).split()) or type(error).__name__
            self._log.warning(self._lost)
            self._log.info("The reason: %s", reason[:300])
            if self._on_loss is not None:
                self._on_loss()

    def back(self) -> None:
        if self._away:
            self._away = False
            self._log.info(self._back)
