"""The page's own words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import demo
from demo.words import DEFAULT, LOCALES, Words, preferred, texts_of

SOURCES = [
    path for pattern in ("*.py", "*.jinja") for path in Path(demo.__file__).parent.rglob(pattern)
]
USED = re.compile(r"""(?:\bt|words|count|field)\(\s*["']([a-z][a-z_.]+)["']""")
PLACEHOLDER = re.compile(r"\{\w+\}")


def used_keys() -> set[str]:
    """Those that stand in the code as they are; a key that is put together ends in a dot."""
    return {key for path in SOURCES for key in USED.findall(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("language", sorted(LOCALES))
def test_every_language_has_the_same_texts_with_the_same_values(language: str) -> None:
    texts, reference = texts_of(language), texts_of(DEFAULT)
    assert texts.keys() == reference.keys()
    for key, text in texts.items():
        ours, theirs = PLACEHOLDER.findall(text), PLACEHOLDER.findall(reference[key])
        # "once" needs no number
        assert set(ours) == set(theirs) or key.endswith((".one", ".other")), key


def test_every_text_that_is_used_is_there() -> None:
    texts = texts_of(DEFAULT)
    for key in used_keys():
        assert any(each == key or each.startswith(f"{key.rstrip('.')}.") for each in texts), key


def test_numbers_read_well() -> None:
    english, german = Words("en"), Words("de")
    assert english.lateness(12) == "12 ms"
    assert english.lateness(1340) == "1.3 s"
    assert german.lateness(1340) == "1,3 s"
    assert english.count("struck.kill_bot", 1) == "bot killed once"
    assert german.count("struck.kill_bot", 2) == "Bot 2-mal getötet"


def test_the_browsers_language_is_taken_if_it_is_there() -> None:
    assert preferred("fr-CA, de-AT;q=0.8, en;q=0.5") == "de"
    assert preferred("fr") == preferred("") == "en"
    assert Words("xx").language == "en"
