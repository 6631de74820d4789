"""Where the program lies, and which version it is: as a checkout, or as an installed package."""

from __future__ import annotations

import tomllib
from importlib.metadata import version as version_of_package
from pathlib import Path

INSTALLED = __name__.startswith("punctual.")
CHECKOUT = Path(__file__).resolve().parent.parent


def home() -> Path:
    """What a relative path is relative to: the directory of bot.py, from wherever it is started.

    An installed package has its own directory among Python's, where nobody keeps anything: then it
    is the working directory.
    """
    return Path.cwd() if INSTALLED else CHECKOUT


def version() -> str:
    if INSTALLED:
        return version_of_package("punctual")
    with (CHECKOUT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])
