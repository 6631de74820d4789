"""No message takes many times as long to render as an ordinary one of its length."""

from __future__ import annotations

import sys
from types import FrameType

import pytest

from domains.transcripts.markdown import DiscordMarkdown

LENGTH = 4_000  # the longest message
ORDINARY = (
    "Hello, I have a problem with my order **1234**, and it is _urgent_.\nSee https://a.example\n"
)
MOST_TIMES = 6
HOSTILE = [
    "*",
    "[",
    "_[*",
    "[]",
    "[a](",
    "]```",
    "](```]",
    "```a```",
    "`",
    "- a\n",
    "-# a\n",
    "# a\n",
    ">>> \n**_",
    "a*",
    "_a",
    "*_~~",
    "||[://- ~~",
    "'!<<t:1:R>>[_<",
    "[<http://a>>>> >>> \n<>>> [",
    "http://",
    "<http://",
    "\\",
    "[a](http://x ",
]


def calls(text: str) -> int:
    """The steps that Python takes: a clock would tell how busy the machine is."""
    markdown = DiscordMarkdown()
    markdown.html("warm *up*", {})
    count = 0

    def step(_frame: FrameType, _event: str, _argument: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(step)
    try:
        markdown.html(text, {})
    finally:
        sys.setprofile(None)
    return count


def long(pattern: str) -> str:
    return (pattern * LENGTH)[:LENGTH]


@pytest.mark.parametrize("pattern", HOSTILE, ids=ascii)
def test_hostile_markdown_costs_little_more_than_an_ordinary_text(pattern: str) -> None:
    assert calls(long(pattern)) <= MOST_TIMES * calls(long(ORDINARY))


def test_a_long_text_with_much_formatting_is_still_formatted() -> None:
    text = "- **one** and _two_ of `three`\n" * 50
    assert DiscordMarkdown().html(text, {}).count("<strong>") == 50
