"""A dependency that is away is said once at its loss and once at its return."""

from __future__ import annotations

import logging


class OutageLog:
    def __init__(self, log: logging.Logger, lost: str, back: str) -> None:
        self._log = log
        self._lost = lost
        self._back = back
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

    def back(self) -> None:
        if self._away:
            self._away = False
            self._log.info(self._back)
