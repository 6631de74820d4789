"""File names that strangers chose can neither escape, nor mislead, nor run."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domains.transcripts.filenames import HARMLESS_EXTENSIONS, safe_filename


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("Bank Statement.PNG", "Bank_Statement.png"),
        ("../../x.txt", "x.txt"),
        ("/etc/passwd", "passwd.bin"),
        (r"C:\Windows\win.ini", "win.ini"),
        ("..", "file.bin"),
        ("", "file.bin"),
        ("a\x00b\r\n.txt", "ab.txt"),
        ("photo\u202egnp.exe", "photognp.exe.bin"),
        ("con", "_con.bin"),
        ("CON.txt", "_CON.txt"),
        ("lpt1.tar.gz", "_lpt1.tar.gz"),
        (".bashrc", "bashrc.bin"),
        (".png", "png.bin"),
        ("trailing. ", "trailing.bin"),
        ("-rf.txt", "rf.txt"),
        ("evil.html", "evil.html.bin"),
        ("evil.SVG", "evil.SVG.bin"),
        ("evil.png.svg", "evil.png.svg.bin"),
        ("a?b#c%2f&d.txt", "a_b_c_2f_d.txt"),
        ("a\ud800.txt", "a.txt"),
        ("résumé 申込書.pdf", "résumé_申込書.pdf"),
        ("x" * 300 + ".png", "x" * 120 + ".png"),
        ("申" * 300 + ".html", "申" * 40 + ".bin"),
    ],
)
def test_a_name_becomes_safe(name: str, safe: str) -> None:
    assert safe_filename(name) == safe


@settings(deadline=None)
@given(name=st.text(alphabet=st.characters(exclude_categories=[]), max_size=400))
def test_any_name_becomes_safe(name: str) -> None:
    safe = safe_filename(name)
    assert Path(safe).name == safe
    assert Path(safe).suffix in HARMLESS_EXTENSIONS
    assert len(f"1000000-{safe}".encode()) <= 255
    assert not safe.startswith((".", "-"))
    assert all(c in "-_." or unicodedata.category(c)[0] in "LMN" for c in safe)


@settings(deadline=None)
@given(name=st.text(max_size=100))
def test_a_safe_name_is_left_alone(name: str) -> None:
    assert safe_filename(safe_filename(name)) == safe_filename(name)
