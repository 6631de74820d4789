"""Errors as the database keeps them: a code with its parameters. Sentences are made at the edge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

LONGEST_TEXT = 300


@runtime_checkable
class CodedError(Protocol):
    """An error that knows its code."""

    @property
    def code(self) -> str: ...

    @property
    def params(self) -> Mapping[str, object]: ...


def error_code(error: BaseException) -> dict[str, object]:
    """`{"code": ..., **parameters}`. A wrapper's cause says more than the wrapper."""
    told = error.__cause__ if error.__cause__ is not None and not str(error) else error
    if isinstance(told, CodedError):
        return {"code": told.code, **told.params}
    return {"code": "unexpected", "type": type(told).__name__, "text": one_line(told)}


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:LONGEST_TEXT] or type(error).__name__
