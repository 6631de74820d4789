"""What people and the bot write, as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from markupsafe import Markup

from domains.transcripts.markdown import DiscordMarkdown

SUBTEXT = "-# "
MARKDOWN = DiscordMarkdown()


def markup(text: str, names: Mapping[str, str]) -> Markup:
    """Links lead out of the page, into a window of their own."""
    html = Markup("").join(_blocks(text, names))
    return Markup(html.replace("<a href=", '<a target="_blank" href='))  # noqa: S704  # escaped


def _blocks(text: str, names: Mapping[str, str]) -> Iterator[Markup]:
    """Small print is a line of its own, unless it stands in a block of code."""
    if "```" in text or SUBTEXT not in text:
        yield MARKDOWN.html(text, names)
        return
    for is_small, lines in groupby(text.split("\n"), lambda line: line.startswith(SUBTEXT)):
        if is_small:
            for line in lines:
                inner = MARKDOWN.html(line.removeprefix(SUBTEXT), names)
                yield Markup('<div class="subtext">{}</div>').format(inner)
        else:
            yield MARKDOWN.html("\n".join(lines), names)
