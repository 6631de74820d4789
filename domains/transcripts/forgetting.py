"""Takes one member out of a saved page: their messages, and their name in what others wrote.

The page is our own (templates/), and all that people typed in it is escaped: its tags are only
where the templates have put them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from markupsafe import escape

from locales import supported, text

REMOVED = '<article class="message block" id="m{id}"><p class="nothing">{text}</p></article>'

_MESSAGE = re.compile(r'<article class="message[^"]*" id="m(\d+)">.*?</article>', re.DOTALL)
_ANSWERED = re.compile(r'<p class="answered">.*?</p>', re.DOTALL)
_ANSWERED_ID = re.compile(r'href="#m(\d+)"')
_LANGUAGE = re.compile(r'<html lang="([^"]*)">')
_NAMED = r'(<bdi class="name" data-user="{id}">)[^<]*(</bdi>)'
# Pages of older versions say who closed it without an id, and all in English.
_CLOSED_BY = re.compile(r'(<dt>Closed</dt>.*? by <bdi class="name">).*?(</bdi>)')
_REASON = re.compile(r'<div(?: data-fact="reason">|><dt>Reason</dt>).*?</div>\n', re.DOTALL)
_STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class MembersPart:
    """What of a ticket's record is the member's besides what they wrote themselves."""

    closed_it: bool = False
    gave_reason: bool = False
    """The reason in the page's head is theirs."""
    message_ids: Collection[int] = ()
    """Messages of the bot that say what they typed."""


def without_member(
    page: str, user_id: int, names: Iterable[str], message_ids: Collection[int], part: MembersPart
) -> str:
    gone = {*message_ids, *part.message_ids}
    locale = _language(page)
    somebody = str(escape(text("transcript.former_member", locale)))

    def message(found: re.Match[str]) -> str:
        if int(found[1]) in gone:
            return REMOVED.format(id=found[1], text=escape(text("transcript.removed", locale)))
        return _ANSWERED.sub(answered, found[0])

    def answered(found: re.Match[str]) -> str:
        to = _ANSWERED_ID.search(found[0])
        if to is None or int(to[1]) not in gone:
            return found[0]
        what = escape(text("transcript.removed_message", locale))
        return f'<p class="answered">↱ <a href="#m{to[1]}">{what}</a></p>'

    page = _MESSAGE.sub(message, page)
    page = re.sub(_NAMED.format(id=user_id), rf"\1{somebody}\2", page)
    if part.closed_it:
        page = _CLOSED_BY.sub(rf"\1{somebody}\2", page, count=1)
    if part.gave_reason:
        page = _REASON.sub("", page, count=1)
    for name in sorted(names, key=len, reverse=True):
        page = re.sub(rf"@{re.escape(str(escape(name)))}(?!\w)", f"@{somebody}", page)
    return re.sub(rf"(?<!\d){user_id}(?!\d)", "0", page)


def _language(page: str) -> str:
    found = _LANGUAGE.search(page)
    return supported(found[1] if found else None)


def only_member(page: str, message_ids: Collection[int]) -> str:
    """A page of these messages alone, without what they answer."""
    wanted = set(message_ids)
    own = [
        _ANSWERED.sub("", found[0]) for found in _MESSAGE.finditer(page) if int(found[1]) in wanted
    ]
    style = _STYLE.search(page)
    title = escape(text("transcript.your_messages", _language(page)))
    return (
        f"{page[: page.index('<title>')]}<title>{title}</title>\n"
        f"{style[0] if style else ''}\n</head>\n<body>\n<main>\n{''.join(own)}\n</main>\n"
        "</body>\n</html>\n"
    )
