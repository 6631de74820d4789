"""The commands of a page, as a reader would copy them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(
    r"^## (?P<section>[^\n]+)$"
    r"|(?P<left_out><!-- not run: [^\n]+ -->\n)?^```sh\n(?P<commands>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    section: str
    commands: str
    is_run: bool


def blocks_of(page: Path) -> list[Block]:
    """In the page's order. A block after a comment `not run: why` is only to be read."""
    blocks: list[Block] = []
    section = ""
    for found in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if found["section"]:
            section = found["section"]
        else:
            blocks.append(Block(section, found["commands"], found["left_out"] is None))
    return blocks
