"""Errors that speak to the operator at the start, and to whoever asked for something."""

from __future__ import annotations

from locales import DEFAULT_LOCALE, Text

WRONG_SETTING = 2
"""Exit status for a missing or wrong setting: starting again would not change it."""


class StartupError(Exception):
    """The program cannot start. The text is one line for the operator, without secrets."""

    def __init__(self, message: str, *, status: int = 1) -> None:
        super().__init__(message)
        self.status = status
        """Exit status of the process: 2 for a wrong setting, 1 for a dependency that failed."""


class UserError(Exception):
    """Something was asked that cannot be done. Its text is what the one who asked reads, in their
    language; str() is English."""

    def __init__(self, key: str, /, **values: object) -> None:
        """The key of a text, with its values; what somebody typed as `Typed`."""
        super().__init__(key, values)
        self.text = Text(key, values)

    def __str__(self) -> str:
        return self.text.in_locale(DEFAULT_LOCALE)


class OperatorError(UserError):
    """One that only pages and the shell can meet, which are in English."""

    def __init__(self, sentence: str) -> None:
        super().__init__("errors.operator", sentence=sentence)
