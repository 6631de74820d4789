"""Keeping the passwords of addresses out of what is shown."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import unquote


def passwords_in(address: str) -> Collection[str]:
    """As it is written in the address, and as it is meant; none if it has none."""
    credentials, at, _ = address.partition("://")[2].rpartition("@")
    password = credentials.partition(":")[2] if at else ""
    return {password, unquote(password)} - {""}


def one_line(error: BaseException, address: str) -> str:
    text = " ".join(str(error).split()) or "no answer"
    for password in passwords_in(address):
        text = text.replace(password, "***")
    return f"{type(error).__name__}: {text}"
