"""The shape of a bot's token. Whether Discord accepts it, Discord says."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def looks_like_a_token(text: str) -> bool:
    """Three parts with dots between, as the developer portal shows it."""
    return _TOKEN.fullmatch(text) is not None
