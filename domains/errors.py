"""The two kinds of error that people read: one at start-up, one in Discord."""

from __future__ import annotations

WRONG_SETTING = 2
"""Exit status for a missing or wrong setting: starting again would not change it."""


class StartupError(Exception):
    """The program cannot start. The text is one line for the operator, without secrets."""

    def __init__(self, message: str, *, status: int = 1) -> None:
        super().__init__(message)
        self.status = status
        """Exit status of the process: 2 for a wrong setting, 1 for a dependency that failed."""


class UserError(Exception):
    """Something was asked that cannot be done. The text is the sentence the user reads."""
