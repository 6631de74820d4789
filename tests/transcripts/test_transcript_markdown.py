"""Messages read as they did in Discord."""

from __future__ import annotations

import pytest
from markupsafe import escape

from domains.transcripts.markdown import DiscordMarkdown, excerpt

MENTIONS = {"<@123>": "@Sam", "<#5>": "#general", "<@&7>": "@Support"}


@pytest.fixture(scope="module")
def markdown() -> DiscordMarkdown:
    return DiscordMarkdown()


@pytest.mark.parametrize(
    ("typed", "html"),
    [
        ("**bold**", "<p><strong>bold</strong></p>"),
        ("*italics* _too_", "<p><em>italics</em> <em>too</em></p>"),
        ("__underline__", "<p><u>underline</u></p>"),
        ("***__all__***", "<p><em><strong><u>all</u></strong></em></p>"),
        ("~~strike~~", "<p><s>strike</s></p>"),
        ("`<code>`", "<p><code>&lt;code&gt;</code></p>"),
        ("snake_case_name", "<p>snake_case_name</p>"),
        (r"\*plain\*", "<p>*plain*</p>"),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("||secret||", '<p><span class="spoiler" tabindex="0">secret</span></p>'),
        ("a || b", "<p>a || b</p>"),
        ("<:wave:123> <a:dance:456>", "<p>:wave: :dance:</p>"),
        ("<@999>", "<p>&lt;@999&gt;</p>"),
        ("&amp;", "<p>&amp;amp;</p>"),
        ("# Title", '<p class="said-h1">Title</p>'),
        ("-# *small*\nnot", '<p class="subtext"><em>small</em></p>\n<p>not</p>'),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
    ],
)
def test_formatting_is_kept(markdown: DiscordMarkdown, typed: str, html: str) -> None:
    assert markdown.html(typed, MENTIONS).strip() == html


@pytest.mark.parametrize(
    ("typed", "name"),
    [("<@123>", "@Sam"), ("<@!123>", "@Sam"), ("<#5>", "#general"), ("<@&7>", "@Support")],
)
def test_mentions_are_names(markdown: DiscordMarkdown, typed: str, name: str) -> None:
    assert f'<bdi class="mention">{name}</bdi>' in markdown.html(typed, MENTIONS)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("<t:1700000000>", "14 November 2023, 22:13 UTC"),
        ("<t:1700000000:F>", "Tuesday, 14 November 2023, 22:13 UTC"),
        ("<t:1700000000:R>", "14 November 2023, 22:13 UTC"),
        ("<t:1700000000:d>", "14 November 2023"),
        ("<t:1700000000:T>", "22:13:20 UTC"),
        ("<t:-1:t>", "23:59 UTC"),
        ("<t:999999999999:F>", "&lt;t:999999999999:F&gt;"),
    ],
)
def test_timestamps_are_utc(markdown: DiscordMarkdown, typed: str, read: str) -> None:
    assert read in markdown.html(typed, MENTIONS)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("```\na\n\n  b\n```", "a\n\n  b"),
        ("```py\nprint()\n```", "print()"),
        ("```py```", "py"),
        ("see ```a b\nc``` there", "a b\nc"),
        ("```**<b>**\n<@123>```", "**&lt;b&gt;**\n&lt;@123&gt;"),
    ],
)
def test_code_blocks_are_verbatim(markdown: DiscordMarkdown, typed: str, code: str) -> None:
    assert f"<code>{code}</code></pre>" in markdown.html(typed, MENTIONS)


def test_the_language_of_a_code_block_is_its_label(markdown: DiscordMarkdown) -> None:
    html = markdown.html("```error\nIt failed\n```", {})
    assert html.strip() == ('<pre><span class="language">error</span><code>It failed</code></pre>')


def test_an_answer_below_a_quote_is_not_part_of_the_quote(markdown: DiscordMarkdown) -> None:
    html = markdown.html("> their words\nmy words", MENTIONS)
    assert html.index("their words") < html.index("</blockquote>") < html.index("my words")


def test_a_triple_quote_takes_the_rest_of_the_message(markdown: DiscordMarkdown) -> None:
    html = markdown.html(">>> one\n\ntwo", MENTIONS)
    assert html.index("two") < html.index("</blockquote>")


@pytest.mark.parametrize(
    ("typed", "href"),
    [
        ("https://a.example/x_y_z?q=1&r=2", "https://a.example/x_y_z?q=1&amp;r=2"),
        ("(see https://a.example/b).", "https://a.example/b"),
        ("https://a.example/Foo_(bar)", "https://a.example/Foo_(bar)"),
        ("**https://a.example/b**", "https://a.example/b"),
        ("||https://a.example/b||", "https://a.example/b"),
        ("<https://a.example/b>", "https://a.example/b"),
        ("[text](https://a.example/b)", "https://a.example/b"),
    ],
)
def test_web_addresses_are_links(markdown: DiscordMarkdown, typed: str, href: str) -> None:
    assert f'<a href="{href}" rel="noopener noreferrer nofollow"' in markdown.html(typed, {})


def test_a_link_with_a_text_of_its_own_shows_where_it_goes(markdown: DiscordMarkdown) -> None:
    html = markdown.html("[https://bank.example](https://evil.example/x)", {})
    assert 'href="https://evil.example/x"' in html
    assert 'data-host="evil.example"' in html


def test_an_address_in_the_text_of_a_link_is_no_second_link(markdown: DiscordMarkdown) -> None:
    html = markdown.html("[a <http://b.example> https://c.example](https://d.example)", {})
    assert html.count("<a ") == html.count("</a>") == 1
    assert 'href="https://d.example"' in html


def test_an_address_ends_where_text_could_be_turned_around(markdown: DiscordMarkdown) -> None:
    assert 'href="https://a.example/"' in markdown.html("https://a.example/\u202emoc", {})


def test_an_excerpt_names_mentions_and_keeps_spoilers_hidden() -> None:
    line = excerpt("# **Hi** <@123>\n||the secret||\n```py\ncode```", MENTIONS)
    assert line == "Hi @Sam █████ code"


def test_a_long_excerpt_says_that_it_goes_on() -> None:
    assert excerpt("word " * 100, {}) == ("word " * 24)[:119].rstrip() + "…"


@pytest.mark.parametrize(
    "mark", ["*[", "||*", "[a](", "<@1", "- a\n", "1. a\n", "__\n", "~~`", "\\"]
)
def test_what_is_made_of_marks_alone_is_shown_as_it_was_typed(
    markdown: DiscordMarkdown, mark: str
) -> None:
    """To draw it takes twenty times as long as to draw a message that says something."""
    typed = (mark * 4_000)[:4_000]
    html = markdown.html(typed, MENTIONS)
    shown = str(escape(typed)).replace("\n", "<br>\n")
    assert html == f"<p>{shown}</p>\n"


def test_a_long_message_with_ordinary_formatting_is_drawn(markdown: DiscordMarkdown) -> None:
    typed = ("**Step** `one`: see https://example.com, and _then_ go on with <@123>\n" * 99)[:4_000]
    html = markdown.html(typed, MENTIONS)
    assert html.count("<strong>Step</strong>") > 50
    assert html.count("@Sam") > 50
