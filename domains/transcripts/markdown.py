"""Discord's markdown as HTML that loads nothing, runs nothing and links only to the web.

markdown-it escapes all text and attributes; the "zero" preset knows no HTML, images or entities.
What Discord does differently is added in `discord_syntax`. Code blocks are cut out first, because
Discord, unlike CommonMark, lets them begin and end in the middle of a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup

from domains.transcripts import discord_syntax
from locales import DEFAULT_LOCALE

CODE_BLOCK = re.compile(r"(?<!\\)```(.+?)```", re.DOTALL)
CODE_LANGUAGE = re.compile(r"([A-Za-z0-9_+\-.#]*)\n(?=.*\S)", re.DOTALL)
WEB_LINK = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)
SPOILER = re.compile(r"\|\|.+?\|\|", re.DOTALL)
MARKERS = re.compile(r"\*\*|__|~~|`+|^(?:#{1,3}|>{1,3}|-#) ", re.MULTILINE)
MARKS = re.compile(r"[*_~`|<>:\\\[\]]")
LIST_ITEMS = re.compile(r"^[ \t]*(?:[-+*]|-#|\d+[.)])[ \t]", re.MULTILINE)
MARKS_A_LIST_ITEM = 5
MAX_MARKS = 1_000
"""Of one piece of prose. Nobody formats so much by hand; drawing 4,000 such marks, a message's
length, takes twenty times as long as drawing 4,000 letters. It is shown as it was typed."""
HIDDEN = "█████"


def is_web_link(url: str) -> bool:
    return WEB_LINK.match(url) is not None


class DiscordMarkdown:
    def __init__(self, locale: str = DEFAULT_LOCALE) -> None:
        """`locale` is the language of its timestamps."""
        self._locale = locale
        self._parser = _WebLinksOnly("zero", {"breaks": True})
        self._parser.enable(["newline", "escape", "backticks", "strikethrough", "emphasis"])
        self._parser.enable(["heading", "list", "link", "autolink"])
        discord_syntax.install(self._parser)
        self._parser.core.ruler.push("web_links", _mark_links)

    def html(self, content: str, mentions: Mapping[str, str]) -> Markup:
        pieces = CODE_BLOCK.split(content)  # prose, code, prose, ...
        rendered = (
            _code_block(piece) if index % 2 else self._prose(piece, mentions)
            for index, piece in enumerate(pieces)
        )
        return Markup("").join(rendered)

    def _prose(self, text: str, mentions: Mapping[str, str]) -> Markup:
        marks = len(MARKS.findall(text)) + MARKS_A_LIST_ITEM * len(LIST_ITEMS.findall(text))
        if marks > MAX_MARKS:
            return Markup("<p>{}</p>\n").format(Markup("<br>\n").join(text.split("\n")))
        env = {"mentions": mentions, "locale": self._locale}
        return Markup(self._parser.render(text, env))  # noqa: S704  # markdown-it escapes it


def excerpt(
    content: str,
    mentions: Mapping[str, str],
    locale: str = DEFAULT_LOCALE,
    *,
    length: int = 120,
) -> str:
    """The beginning as one line of plain text, spoilers still hidden."""
    unfenced = CODE_BLOCK.sub(lambda block: _language_and_code(block[1])[1], content)
    beginning = SPOILER.sub(HIDDEN, unfenced)[: 4 * length]
    named = discord_syntax.ANGLE.sub(
        lambda found: discord_syntax.spoken(found, mentions, locale) or found[0], beginning
    )
    line = " ".join(MARKERS.sub("", named).split())
    return line if len(line) <= length else f"{line[: length - 1].rstrip()}…"


class _WebLinksOnly(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 - markdown-it's name
        return is_web_link(url)


def _code_block(inside: str) -> Markup:
    language, code = _language_and_code(inside)
    label = Markup('<span class="language">{}</span>').format(language) if language else ""
    return Markup("<pre>{}<code>{}</code></pre>\n").format(label, code)


def _language_and_code(inside: str) -> tuple[str, str]:
    """Discord takes a first line of one word for a language, and shows it nowhere. We do."""
    found = CODE_LANGUAGE.match(inside)
    language, code = (found[1], inside[found.end() :]) if found else ("", inside)
    return language, code.strip("\n")


def _mark_links(state: StateCore) -> None:
    for block in state.tokens:
        if block.children:
            block.children = list(_marked_links(block.children))


def _marked_links(tokens: list[Token]) -> Iterator[Token]:
    unlinked = False
    for token in tokens:
        if token.type == "link_open":
            href = str(token.attrs.get("href", ""))
            # markdown-it lets the empty destination of `[text]()` pass without asking.
            unlinked = not is_web_link(href)
            token.attrs = {"href": href, "rel": "noopener noreferrer nofollow"}
            if token.markup != discord_syntax.SHOWS_ITS_TARGET:
                # The text may say anything, so the style shows the host after it.
                token.attrs |= {"title": href, "data-host": _host(href)}
        if not (unlinked and token.type in {"link_open", "link_close"}):
            yield token


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return url
