"""Keeping the passwords of addresses out of what is shown."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import parse_qs, unquote


def passwords_in(address: str) -> Collection[str]:
    """As it is written in the address and as it is meant, longest first. One that should have been
    encoded was split where the address was, so each part is there too."""
    credentials, at, _ = address.partition("://")[2].rpartition("@")
    password = credentials.partition(":")[2] if at else ""
    asked = parse_qs(address.partition("?")[2]).get("password", [])
    parts = {password, unquote(password), *asked, *re.split(r"[/?#@:]", password)}
    return sorted(parts - {""}, key=len, reverse=True)


def one_line(error: BaseException, address: str) -> str:
    text = " ".join(str(error).split()) or "no answer"
    for password in passwords_in(address):
        text = text.replace(password, "***")
    return f"{type(error).__name__}: {text}"
