"""Opens the page where somebody sits in front of a screen."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import webbrowser
from collections.abc import Mapping

log = logging.getLogger(__name__)

NOT_HERE = ("CI", "SSH_CONNECTION", "PYTEST_CURRENT_TEST")
SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")


def sits_at_a_screen() -> bool:
    return has_desktop(os.environ, sys.platform, is_terminal=sys.stdout.isatty())


def has_desktop(environment: Mapping[str, str], platform: str, *, is_terminal: bool) -> bool:
    """A terminal and a screen: nobody is surprised by a window."""
    if not is_terminal or any(environment.get(name) for name in NOT_HERE):
        return False
    return platform in ("darwin", "win32") or any(environment.get(name) for name in SCREENS)


async def open_page(url: str) -> None:
    """The address stands in the terminal as well, so nobody is told if it fails."""
    try:
        await asyncio.to_thread(webbrowser.open, url)
    except Exception as error:
        log.debug("The browser was not opened: %s", error)
