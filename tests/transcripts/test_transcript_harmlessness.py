"""Whatever strangers typed, the page runs nothing, loads nothing and links only to the web."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domains.transcripts import (
    ActionRow,
    Container,
    Control,
    ControlLook,
    EarlierText,
    Embed,
    MediaGallery,
    MissedAttachment,
    Named,
    Poll,
    Section,
    Separator,
    Snapshot,
    TextDisplay,
    Thread,
    TranscriptHeader,
    TranscriptMessage,
)
from domains.transcripts.conversation import Conversation, Entry, KeptAttachment, Outcomes
from domains.transcripts.filenames import safe_filename
from domains.transcripts.markdown import excerpt
from domains.transcripts.page import Contents, PageRenderer
from domains.transcripts.participants import Participant
from locales import Text

from .inspection import assert_harmless
from .samples import HEADER, MESSAGE, attachment

KEPT, MISSED = attachment(), attachment()

HOSTILE = [
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title></head><body onload=alert(1)>",
    "--><script>alert(1)</script><!--",
    "<![CDATA[<script>]]>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '<a href="javascript:alert(1)">x</a>',
    "<svg onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    '<meta http-equiv="refresh" content="0;url=https://evil.example">',
    '<base href="https://evil.example/">',
    '<form action="https://evil.example"><input name=token></form>',
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](\tjavascript:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](javascript&colon;alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](%6aavascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "[x](/etc)",
    "[x](#top)",
    "[x]()",
    "[<https://b.example>]()",
    "[x][1]\n\n[1]: javascript:alert(1)",
    '[x](https://a.example "\\" onmouseover=alert(1) x=\\"")',
    '[x](https://a.example/"onmouseover="alert(1))',
    "[**a](https://a.example)**",
    "[a [b](https://b.example) c](https://c.example)",
    "[https://bank.example](https://evil.example)",
    "![x](https://evil.example/pixel.png)",
    "![x](javascript:alert(1))",
    "<https://a.example/\"onmouseover='alert(1)>",
    "<javascript:alert(1)>",
    "<mail@evil.example>",
    'https://a.example/"onmouseover=alert(1)',
    "https://a.example/<script>alert(1)</script>",
    "javascript:alert(1)//https://a.example",
    "http://[::1",
    "https://%00.example/%",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;",
    "```html\n<script>alert(1)</script>\n```",
    "```<script>\nalert(1)```",
    "`<script>alert(1)</script>`",
    "||<script>alert(1)</script>||",
    "> <script>alert(1)</script>",
    "# <script>alert(1)</script>",
    "***~~||__`<b>`__||~~***",
    "<@1> <@!1> <@&7> <#5> <t:1:F> <t:99999999999999999:R> <t:-999999999999:D>",
    "<:<script>:1> <a:x:1> </<script>:1>",
    "{{ 7*7 }} {% raw %} ${7*7} <%= 7*7 %>",
    "\u202egnp.exe \u2066\u2067\u2069 \u200b\u200f",
    "\x00\x01\x1b[31m\x7f\x9b\ufeff\ufffe",
    "[" * 400 + "]" * 400 + "(" * 400,
    "> " * 200 + "x",
    "- " * 200 + "x",
    "||" * 333,
    "*_~`|[(<" * 100,
]
HOSTILE_NAMES = {"<@1>": "@<script>", "<@&7>": '" onclick="x', "<#5>": "#\u202e<img src=x>"}


@pytest.fixture(scope="module")
def renderer() -> PageRenderer:
    return PageRenderer()


def everywhere(text: str) -> tuple[TranscriptHeader, TranscriptMessage]:
    """The text in each place that a stranger can fill."""
    header = replace(
        HEADER,
        guild_name=text,
        channel_name=text,
        subject=text,
        opener=Named(2, text),
        closed_by=Named(3, text),
        asked_by=Named(4, text),
        reason=text,
    )
    web = f"https://a.example/{text}"
    embeds = tuple(
        Embed(
            title=text,
            description=text,
            fields=((text, text),),
            footer=text,
            url=url,
            provider=text,
            author=text,
            author_url=url,
            video_url=url,
            timestamp=MESSAGE.sent_at,
            pictures=(KEPT,),
            colour=0xFFFFFF,
        )
        for url in (text, web)
    )
    section = Section((TextDisplay(text),), Control(text, text))
    menu = Control(text, None, ControlLook.MENU, (text, text))
    row = ActionRow((Control(text, web), menu))
    inside = (TextDisplay(text), section, row, Separator(), MediaGallery((KEPT, MISSED)), KEPT)
    components = (Container(inside, 0xFFFFFF), *inside)
    message = replace(
        MESSAGE,
        author_name=text,
        content=text,
        embeds=embeds,
        attachments=(KEPT, MISSED),
        components=components,
        forwarded=(Snapshot(text, MESSAGE.sent_at, None, embeds, (KEPT, MISSED), components),),
        poll=Poll(text, ((text, 1),), None, has_ended=False),
        reactions=((text, 1),),
        notes=(Text("transcript.with_file", {"name": text}),),
        thread=Thread(1, text),
        earlier=(EarlierText(text, MESSAGE.sent_at),),
        deleted_at=MESSAGE.sent_at,
        mentions={**HOSTILE_NAMES, text: text},
    )
    return header, message


def page_of(renderer: PageRenderer, text: str) -> str:
    header, message = everywhere(text)
    name = safe_filename(text)
    outcomes: Outcomes = {
        KEPT: KeptAttachment(f"1-{name}", name, 5, is_image=True, description=text),
        MISSED: MissedAttachment(name, 5, text),
    }
    conversation = Conversation()
    answer = replace(message, id=1001, reply_to_id=1000)
    views = [conversation.view(Entry(each, outcomes)) for each in (message, answer)]
    pieces = [renderer.messages(views)]
    contents = Contents(2, 1, 1, [Participant(Named(2, text), 2)], {0xFFFFFF})
    return "".join(renderer.page(header, contents, pieces))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(renderer: PageRenderer, text: str) -> None:
    assert_harmless(page_of(renderer, text))


@settings(deadline=None)
@given(
    text=st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=20)), max_size=6).map(
        "".join
    )
)
def test_any_mixture_of_hostile_text_stays_text(renderer: PageRenderer, text: str) -> None:
    assert_harmless(page_of(renderer, text))


@settings(deadline=None)
@given(text=st.text(alphabet="<>[]()|*_~`\\!:/#@&;\"'ahtps.-=\n \t>1x", max_size=80))
def test_any_nesting_of_markup_stays_harmless(renderer: PageRenderer, text: str) -> None:
    assert_harmless(page_of(renderer, text))


@settings(deadline=None)
@given(text=st.text(alphabet="|`*_~#>< @:t1ab\n", max_size=400))
def test_an_excerpt_is_one_short_line(text: str) -> None:
    line = excerpt(text, {})
    assert len(line) <= 120
    assert line == " ".join(line.split())


def test_text_is_shown_as_it_was_typed(renderer: PageRenderer) -> None:
    page = assert_harmless(page_of(renderer, "<b>&amp; {{ 7*7 }}"))
    assert "<b>&amp; {{ 7*7 }}" in page.text


def test_control_characters_are_left_out(renderer: PageRenderer) -> None:
    html = page_of(renderer, "a\x00b\x1b[31mc\x9bd\x7fe")
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", html)


def test_the_policy_allows_the_pages_own_style_by_its_hash_and_nothing_inline(
    renderer: PageRenderer,
) -> None:
    html = page_of(renderer, "hello")
    style = html.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(m["content"] for m in assert_harmless(html).named("meta") if "http-equiv" in m)
    assert policy == (
        f"default-src 'none'; img-src 'self'; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_the_policy_comes_before_anything_that_it_governs(renderer: PageRenderer) -> None:
    html = page_of(renderer, "hello")
    assert html.index("Content-Security-Policy") < html.index("<style>")


def test_the_style_loads_nothing(renderer: PageRenderer) -> None:
    style = page_of(renderer, "hello").partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
