"""The templates, and what they have at hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from jinja2 import ChainableUndefined, Environment, FileSystemLoader
from markupsafe import Markup

from demo.page.markup import markup
from demo.virtual_discord.backend import FILES

TEMPLATES = Path(__file__).parents[1] / "templates"


class Templates:
    def __init__(self) -> None:
        templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=ChainableUndefined,  # Discord's payloads leave out what is not set
            trim_blocks=True,
            lstrip_blocks=True,
        )
        filters = cast("dict[str, object]", templates.filters)
        filters |= {
            "colour": _colour,
            "local": _local,
            "markup": markup,
            "ms": _milliseconds,
            "size": _size,
        }
        self._environment = templates

    def render(self, template: str, context: Mapping[str, object]) -> Markup:
        text = self._environment.get_template(f"{template}.html.jinja").render(context)
        return Markup(text)  # noqa: S704  # autoescaped


def _milliseconds(moment: datetime) -> int:
    """Since the epoch, for the browser."""
    return round(moment.timestamp() * 1000)


def _local(url: str) -> str:
    """The bot's Discord is at another address than this page; files are at both. What is anywhere
    else is not loaded."""
    path = urlsplit(url).path
    return path if path.startswith(f"{FILES}/") else ""


def _colour(value: int | None) -> str:
    return f"#{value:06x}" if value is not None else "none"


def _size(size: int) -> str:
    return f"{size} B" if size < 1024 else f"{size / 1024:.0f} KiB"
