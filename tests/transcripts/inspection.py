"""Reads a produced page as a browser's parser would, and says what is in it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

ALLOWED_HREF = re.compile(r"https?://[^\s]|attachments/\d+-[^/\\]+\Z|#m\d+\Z", re.IGNORECASE)
ALLOWED_SRC = re.compile(r"attachments/\d+-[^/\\]+\Z")
# All that the templates and the markdown have use for; a script, a frame or a form is none of it.
ALLOWED_TAGS = frozenset(
    """
    html head meta title style body header main footer article h1 h2 p div span bdi time
    dl dt dd small a img br strong em u s code pre blockquote ul ol li
    """.split()  # noqa: SIM905
)
ALLOWED_ATTRIBUTES = frozenset(
    """
    lang charset http-equiv content name class id dir datetime title href rel download src alt
    loading tabindex aria-hidden data-host data-user data-fact data-epoch data-style start
    """.split()  # noqa: SIM905
)


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.style = ""
        self._in_style = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.style += data
        else:
            self.text += data

    def values(self, attribute: str) -> list[str]:
        return [attributes[attribute] for _, attributes in self.elements if attribute in attributes]

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def with_class(self, name: str) -> list[dict[str, str]]:
        return [a for _, a in self.elements if name in a.get("class", "").split()]


def assert_harmless(html: str) -> Page:
    page = Page(html)
    assert {tag for tag, _ in page.elements} <= ALLOWED_TAGS
    assert {name for _, attributes in page.elements for name in attributes} <= ALLOWED_ATTRIBUTES
    assert all(ALLOWED_HREF.match(href) for href in page.values("href")), page.values("href")
    assert all(ALLOWED_SRC.match(source) for source in page.values("src")), page.values("src")
    assert {attributes["name"] for attributes in page.named("meta") if "name" in attributes} == {
        "viewport",
        "color-scheme",
        "referrer",
        "robots",
    }
    assert len(page.named("style")) == len(page.named("title")) == 1
    for link in page.named("a"):
        if link["href"].startswith("attachments/"):
            assert "download" in link
        elif not link["href"].startswith("#"):
            assert link["rel"] == "noopener noreferrer nofollow"
    return page
