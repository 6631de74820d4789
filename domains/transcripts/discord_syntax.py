"""What Discord's markdown has and CommonMark has not, as rules for markdown-it.

A rule is called at a position of the source. It returns False to decline; otherwise it moves the
position on, and pushes tokens unless `silent`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline, autolink

from domains.transcripts import times

SHOWS_ITS_TARGET = "autolink"  # as markdown-it marks `<https://...>`

ANGLE = re.compile(
    r"<(?:(?P<mention>@[!&]?|#)(?P<id>\d{1,20})"
    r"|t:(?P<epoch>-?\d{1,12})(?::(?P<style>[A-Za-z]))?"
    r"|a?:(?P<emoji>\w{1,32}):\d{1,20}"
    r"|/(?P<command>[\w -]{1,100}):\d{1,20})>",
    re.ASCII,
)
WEB_SCHEME = re.compile(r"(?<![A-Za-z0-9])https?\Z", re.IGNORECASE)
LONGEST_WEB_SCHEME = len("https")
# Bidi and zero-width marks end it too: it must read as the address that it is.
BARE_ADDRESS = re.compile(r"://[^\s<>\"`|\\\[\]\u200b-\u200f\u202a-\u202e\u2060-\u2069]+")


def install(parser: MarkdownIt) -> None:
    parser.block.ruler.at("blockquote", _quote, {"alt": ["paragraph", "list"]})
    parser.block.ruler.before("list", "subtext", _subtext, {"alt": ["paragraph", "list"]})
    parser.inline.add_terminator_char("|")
    parser.inline.ruler.before("link", "spoiler", _spoiler)
    parser.inline.ruler.at("autolink", _autolink)
    parser.inline.ruler.before("autolink", "angle", _angle)
    parser.inline.ruler.before("newline", "bare_link", _bare_link)
    parser.core.ruler.push("discord_tags", _discord_tags)
    parser.enable(["blockquote"])


def spoken(found: re.Match[str], mentions: Mapping[str, str], locale: str) -> str | None:
    """What a match of ANGLE reads like; None where it is unknown."""
    if found["mention"]:
        plain = found["mention"].replace("!", "")
        return mentions.get(found[0]) or mentions.get(f"<{plain}{found['id']}>")
    if found["epoch"]:
        return times.discord_timestamp(int(found["epoch"]), found["style"] or "f", locale)
    return f":{found['emoji']}:" if found["emoji"] else f"/{found['command']}"


def _discord_tags(state: StateCore) -> None:
    for block in state.tokens:
        if block.type == "heading_open":
            # Only looks like one: a message has no say in the outline of the page.
            block.attrs = {"class": f"said-{block.tag}"}
        if block.type in {"heading_open", "heading_close"}:
            block.tag = "p"
        for token in block.children or ():
            if token.tag == "strong" and token.markup == "__":
                token.tag = "u"


def _quote(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """`> ` quotes its line and no more; CommonMark would draw the answer below it into it."""

    def line(number: int) -> str:
        return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]

    first = line(start_line)
    if "quoted" in state.env or not first.startswith(("> ", ">>> ")):
        return False
    if silent:
        return True
    if first.startswith(">>> "):
        lines = [first[4:], *(line(number) for number in range(start_line + 1, end_line))]
    else:
        lines: list[str] = []
        for number in range(start_line, end_line):
            if not line(number).startswith("> "):
                break
            lines.append(line(number)[2:])
    state.push("blockquote_open", "blockquote", 1)
    state.md.block.parse("\n".join(lines), state.md, {**state.env, "quoted": True}, state.tokens)
    state.push("blockquote_close", "blockquote", -1)
    state.line = start_line + len(lines)
    return True


def _subtext(state: StateBlock, start_line: int, _end_line: int, silent: bool) -> bool:
    """`-# ` makes its line small."""
    start = state.bMarks[start_line] + state.tShift[start_line]
    line = state.src[start : state.eMarks[start_line]]
    if not line.startswith("-# ") or not line[3:].strip():
        return False
    if silent:
        return True
    token = state.push("subtext_open", "p", 1)
    token.attrs = {"class": "subtext"}
    inline = state.push("inline", "", 0)
    inline.content, inline.map, inline.children = line[3:], [start_line, start_line + 1], []
    state.push("subtext_close", "p", -1)
    state.line = start_line + 1
    return True


def _spoiler(state: StateInline, silent: bool) -> bool:
    start, end = state.pos + 2, state.posMax
    if not state.src.startswith("||", state.pos):
        return False
    close = state.src.find("||", start, end)
    if close <= start:
        return False
    if not silent:
        state.pos, state.posMax = start, close
        token = state.push("spoiler_open", "span", 1)
        token.attrs = {"class": "spoiler", "tabindex": "0"}
        state.md.inline.tokenize(state)
        state.push("spoiler_close", "span", -1)
    state.pos, state.posMax = close + 2, end
    return True


def _angle(state: StateInline, silent: bool) -> bool:
    """Mentions, timestamps, custom emoji and slash commands: all that Discord writes in `<>`."""
    found = ANGLE.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    mentions = cast("Mapping[str, str]", state.env["mentions"])
    text = spoken(found, mentions, cast("str", state.env["locale"]))
    if text is None:
        return False
    if not silent:
        _push_angle(state, found, text)
    state.pos = found.end()
    return True


def _push_angle(state: StateInline, found: re.Match[str], text: str) -> None:
    if found["emoji"]:
        state.push("text", "", 0).content = text
        return
    tag = "span" if found["epoch"] else "bdi"
    token = state.push("angle_open", tag, 1)
    token.attrs = {"class": "moment" if found["epoch"] else "mention"}
    if found["epoch"]:
        token.attrs |= {"data-epoch": found["epoch"], "data-style": found["style"] or "f"}
    state.push("text", "", 0).content = text
    state.push("angle_close", tag, -1)


def _autolink(state: StateInline, silent: bool) -> bool:
    """markdown-it's own would put a link inside a link's text."""
    return not state.linkLevel and autolink(state, silent)


def _bare_link(state: StateInline, silent: bool) -> bool:
    """An address without any marks. Called at its colon: the text rule stops nowhere before."""
    if state.src[state.pos] != ":" or state.linkLevel:
        return False
    scheme = WEB_SCHEME.search(state.src, max(0, state.pos - LONGEST_WEB_SCHEME - 1), state.pos)
    rest = BARE_ADDRESS.match(state.src, state.pos, state.posMax)
    if scheme is None or rest is None:
        return False
    tail = _without_trailing_punctuation(rest[0])
    address = scheme[0] + tail
    href = state.md.normalizeLink(address)
    if not state.md.validateLink(href):
        return False
    if not silent:
        if not state.pending.endswith(scheme[0]):
            return False
        state.pending = state.pending.removesuffix(scheme[0])
        token = state.push("link_open", "a", 1)
        token.attrs = {"href": href}
        token.markup = SHOWS_ITS_TARGET
        state.push("text", "", 0).content = address
        state.push("link_close", "a", -1)
    state.pos += len(tail)
    return True


def _without_trailing_punctuation(address: str) -> str:
    while address and address[-1] in ".,:;!?'*_~)]":
        if address[-1] == ")" and address.count("(") >= address.count(")"):
            break
        address = address[:-1]
    return address
